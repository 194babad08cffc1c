#include "support/temporary_directory.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <system_error>

#include "support/failure.h"

namespace restante::support {

namespace {

constexpr std::uintmax_t spare_bytes = 4ULL << 30;

std::string parent() {
  std::error_code none;
  const auto memory = std::filesystem::space("/dev/shm", none);
  return !none && memory.available >= spare_bytes ? "/dev/shm" : "/tmp";
}

}  // namespace

temporary_directory::temporary_directory(const std::string& owner) {
  std::string name = parent() + "/restante-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw failure("cannot make a directory like " + name);
  path_ = name;
  if (chmod(name.c_str(), 0755) != 0) throw failure("cannot open " + name + " to others");
  if (!owner.empty()) {
    const passwd* entry = getpwnam(owner.c_str());
    if (entry == nullptr || chown(name.c_str(), entry->pw_uid, entry->pw_gid) != 0) {
      throw failure("cannot give " + name + " to " + owner);
    }
  }
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::filesystem::path& file) {
  const std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text;
  if (!stream.flush()) throw failure("cannot write " + file.string());
}

}  // namespace restante::support
