#include "support/postgres_server.h"

#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "postgres/connection.h"
#include "support/eventually.h"
#include "support/failure.h"

namespace restante::support {
namespace {

std::filesystem::path programs_folder() {
  std::filesystem::path newest;
  int newest_version = 0;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version > newest_version && std::filesystem::exists(entry.path() / "bin" / "initdb")) {
      newest_version = version;
      newest = entry.path() / "bin";
    }
  }
  if (newest.empty()) {  // not as Debian has it
    const std::string told = run_or_fail({.arguments = {"pg_config", "--bindir"}});
    newest = told.substr(0, told.find('\n'));
  }
  return newest;
}

// One statement, without its rows; psql would take ten times as long.
void command(const std::string& conninfo, const std::string& statement) {
  auto opened = connection::open({.database = conninfo});
  if (!opened) throw failure(opened.error().message);
  if (auto done = opened->execute_script(statement); !done) throw failure(done.error().message);
}

// What a killed one leaves behind beside its files: a little System V shared memory, of which the kernel
// allows a few thousand pieces to all. Its id stands in the seventh line.
void remove_shared_memory(const std::filesystem::path& postmaster) {
  std::ifstream lines(postmaster);
  std::string line;
  for (int i = 0; i < 7; ++i) std::getline(lines, line);
  std::istringstream words(line);
  long key = 0;
  int id = -1;
  if (words >> key >> id) shmctl(id, IPC_RMID, nullptr);
}

std::filesystem::path kept_cluster() { return std::filesystem::path(RESTANTE_KEPT_CLUSTER) / "data"; }

// A file with the names of its templates, written last.
std::filesystem::path kept_names() { return std::filesystem::path(RESTANTE_KEPT_CLUSTER) / "templates"; }

// Neither `restante` nor this program, which holds the recipes, is newer.
bool is_kept_cluster_fresh() {
  std::error_code none;
  const auto kept = std::filesystem::last_write_time(kept_names(), none);
  return !none && kept > std::filesystem::last_write_time(RESTANTE_PROGRAM) &&
         kept > std::filesystem::last_write_time("/proc/self/exe");
}

std::string unprivileged_user() { return geteuid() == 0 ? "postgres" : ""; }

}  // namespace

std::filesystem::path postgres_program(const std::string& name) {
  static const std::filesystem::path folder = programs_folder();
  return folder / name;
}

const recipe& migrated() {
  static const recipe how{
      .name = "migrated", .prepare = [](const database& fresh) {
        run_or_fail({.arguments = {RESTANTE_PROGRAM, "migrate", "--database", fresh.owner}});
        query(fresh.owner, "grant restante_broker to broker; grant restante_bridge to bridge");
      }};
  return how;
}

postgres_server::postgres_server(const std::vector<std::string>& settings)
    : user_(unprivileged_user()), directory_(user_) {
  const bool copied = copy_kept_cluster();
  if (!copied) make_cluster();
  std::ofstream configuration(data() / "postgresql.conf", std::ios::app);
  configuration << "listen_addresses = ''\n"
                << "unix_socket_directories = '" << directory_.path().string()
                << "'\n"
                // Otherwise a killed one leaves its shared memory behind.
                << "dynamic_shared_memory_type = mmap\n"
                << "fsync = off\nfull_page_writes = off\nshared_buffers = 32MB\nmax_wal_size = 256MB\n";
  for (const std::string& line : settings) configuration << line << "\n";
  configuration.close();
  start();
  if (!copied)
    query(superuser(),
          "create role owner login createrole; create role broker login; create role bridge login");
}

postgres_server::~postgres_server() {
  if (server_) kill();
}

void postgres_server::make_cluster() {
  run_or_fail(
      {.arguments = {postgres_program("initdb"), "--pgdata", data(), "--username=postgres", "--auth=trust",
                     "--encoding=UTF8", "--locale=C", "--wal-segsize=1", "--no-sync", "--no-instructions"},
       .user = user_});
}

bool postgres_server::copy_kept_cluster() {
  if (!is_kept_cluster_fresh()) return false;
  run_or_fail({.arguments = {"cp", "--archive", "--reflink=auto", kept_cluster(), data()}});
  std::istringstream names(read_file(kept_names()));
  for (std::string name; names >> name;) templates_.insert(name);
  return true;
}

void postgres_server::keep() const {
  std::filesystem::remove(kept_names());
  std::filesystem::remove_all(kept_cluster());
  std::filesystem::create_directories(kept_cluster().parent_path());
  run_or_fail({.arguments = {"cp", "--archive", data(), kept_cluster()}});
  std::string names;
  for (const std::string& name : templates_) names += name + "\n";
  write_file(kept_names(), names);
}

void keep_cluster(const std::vector<const recipe*>& recipes) {
  std::filesystem::remove(kept_names());
  postgres_server server({"min_wal_size = 2MB", "max_wal_size = 2MB"});  // little to copy
  for (const recipe* each : recipes) server.make_template(*each);
  server.stop();
  server.keep();
}

void postgres_server::start() {
  server_ = std::make_unique<process>(program{.arguments = {postgres_program("postgres"), "-D", data()},
                                              .user = user_,
                                              .output = directory_.path() / "log",
                                              .death_signal = SIGQUIT});
  const bool ready = eventually([&] {
    return !server_->running() || read_file(data() / "postmaster.pid").find("ready") != std::string::npos;
  });
  if (!ready || !server_->running()) throw failure("PostgreSQL does not start: " + log_text());
}

void postgres_server::stop() {
  server_->signal(SIGINT);
  if (!server_->wait(patience)) throw failure("PostgreSQL does not stop: " + log_text());
  server_.reset();
}

void postgres_server::kill() {
  const std::vector<pid_t> all = processes();
  for (const pid_t each : all) ::kill(each, SIGKILL);
  server_->wait(patience);
  server_.reset();
  // Not ours to wait for, and a restart is refused while one of them holds the shared memory.
  require_eventually("PostgreSQL's processes are gone", [&] {
    return std::ranges::all_of(all, [](pid_t each) {
      const std::string status = read_file("/proc/" + std::to_string(each) + "/stat");
      return status.empty() || status.find(") Z ") != std::string::npos;
    });
  });
  remove_shared_memory(data() / "postmaster.pid");
  std::filesystem::remove(data() / "postmaster.pid");
}

void postgres_server::freeze() {
  // The parent first, so that no child is born unfrozen.
  server_->signal(SIGSTOP);
  for (const pid_t each : processes()) ::kill(each, SIGSTOP);
}

void postgres_server::thaw() {
  for (const pid_t each : processes()) ::kill(each, SIGCONT);
}

std::vector<pid_t> postgres_server::processes() const {
  // Its children make process groups of their own, so they are found by their parent.
  std::vector<pid_t> result{server_->pid()};
  const std::string id = std::to_string(server_->pid());
  const std::string children = read_file("/proc/" + id + "/task/" + id + "/children");
  for (std::size_t at = 0; at < children.size();) {
    std::size_t length = 0;
    result.push_back(std::stoi(children.substr(at), &length));
    at += length + 1;
  }
  return result;
}

database postgres_server::describe(const std::string& name) const {
  const std::string place = "host=" + directory_.path().string() + " dbname=" + name;
  return {.name = name,
          .owner = place + " user=owner",
          .broker = place + " user=broker",
          .bridge = place + " user=bridge"};
}

std::string postgres_server::superuser(const std::string& database_name) const {
  return "host=" + directory_.path().string() + " user=postgres dbname=" + database_name;
}

std::string postgres_server::log_text() const { return read_file(directory_.path() / "log"); }

database postgres_server::create_database() {
  const std::string name = "test_" + std::to_string(++created_);
  command(superuser(), "create database " + name + " owner owner");
  return describe(name);
}

void postgres_server::make_template(const recipe& how) {
  if (templates_.contains(how.name)) return;
  command(superuser(), "create database " + how.name + " owner owner");
  how.prepare(describe(how.name));
  templates_.insert(how.name);
}

database postgres_server::create_database(const recipe& how) {
  make_template(how);
  const std::string name = "test_" + std::to_string(++created_);
  command(superuser(), "create database " + name + " template " + how.name + " owner owner");
  return describe(name);
}

postgres_server& shared_postgres() {
  static postgres_server server;
  return server;
}

std::string query(const std::string& conninfo, const std::string& sql) {
  std::string rows =
      run_or_fail({.arguments = {postgres_program("psql"), "--no-psqlrc", "--quiet", "--tuples-only",
                                 "--no-align", "--set=ON_ERROR_STOP=1", conninfo},
                   .environment = {{"PGOPTIONS", "-c client_min_messages=warning"}}},
                  sql);
  while (!rows.empty() && rows.back() == '\n') rows.pop_back();
  return rows;
}

}  // namespace restante::support
