#include "support/standby_server.h"

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "support/eventually.h"

namespace restante::support {

standby_server::standby_server(postgres_server& primary)
    : user_(geteuid() == 0 ? "postgres" : ""), directory_(user_) {
  run_or_fail({.arguments = {postgres_program("pg_basebackup"), "--dbname",
                             primary.superuser() + " application_name=standby", "--pgdata", data(),
                             "--checkpoint=fast", "--write-recovery-conf", "--no-sync"},
               .user = user_});
  std::ofstream(data() / "postgresql.conf", std::ios::app)
      << "unix_socket_directories = '" << host() << "'\n";
  server_ = std::make_unique<process>(program{.arguments = {postgres_program("postgres"), "-D", data()},
                                              .user = user_,
                                              .output = directory_.path() / "log",
                                              .death_signal = SIGQUIT});
  query(primary.superuser(), "alter system set synchronous_standby_names = 'standby'");
  query(primary.superuser(), "select pg_reload_conf()");
  require_eventually("the standby is synchronous", [&] {
    return query(primary.superuser(), "select count(*) from pg_stat_replication where sync_state = 'sync'") ==
           "1";
  });
}

void standby_server::freeze() {
  server_->signal(SIGSTOP);
  for_each_child(SIGSTOP);
}

void standby_server::thaw() {
  for_each_child(SIGCONT);
  server_->signal(SIGCONT);
}

void standby_server::promote() {
  query("host=" + host() + " user=postgres dbname=postgres", "select pg_promote()");
}

void standby_server::for_each_child(int signal) {
  const std::string id = std::to_string(server_->pid());
  std::istringstream children(read_file("/proc/" + id + "/task/" + id + "/children"));
  for (pid_t each = 0; children >> each;) ::kill(each, signal);
}

}  // namespace restante::support
