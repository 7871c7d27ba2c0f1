#include "tls/default_certificate.hpp"

#include "tls/testing/pair.hpp"

#include <sys/wait.h>
#include <unistd.h>

namespace gost::tls {
namespace {

using namespace std::chrono_literals;
using testing::TemporaryDirectory;
namespace fs = std::filesystem;

std::string print(const DefaultCertificate& found) {
  return fingerprint_of(*found.identity->certificate).to_string();
}

struct Places {
  TemporaryDirectory directory;
  DefaultCertificateOptions options{.working_directory = directory.path(),
                                    .state_directory = directory.path("a/gost")};
};

TEST(TlsDefaultCertificate, IsMadeOnceAndKept) {
  Places places;
  auto first = find_default_certificate(places.options);
  ASSERT_TRUE(first) << first.error().text;
  EXPECT_TRUE(first->generated);
  EXPECT_EQ(first->file, places.directory.path("a/gost/cert.pem"));
  EXPECT_EQ(first->note, "");
  EXPECT_EQ(fs::status(places.directory.path("a/gost")).permissions(), fs::perms(0700));
  EXPECT_EQ(fs::status(places.directory.path("a/gost/cert.pem")).permissions(), fs::perms(0600));
  EXPECT_EQ(fs::status(places.directory.path("a/gost/key.pem")).permissions(), fs::perms(0600));

  auto second = find_default_certificate(places.options);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->generated);
  EXPECT_EQ(print(*second), print(*first));
}

TEST(TlsDefaultCertificate, ThatOfTheWorkingDirectoryComesFirst) {
  Places places;
  testing::Authority authority(places.directory);
  auto files = authority.self_signed("mine");
  fs::copy(files.cert, places.directory.path("cert.pem"));
  auto alone = find_default_certificate(places.options);
  ASSERT_TRUE(alone);
  EXPECT_TRUE(alone->generated) << "a certificate without a key is none";
  fs::copy(files.key, places.directory.path("key.pem"));
  auto found = find_default_certificate(places.options);
  ASSERT_TRUE(found);
  EXPECT_EQ(print(*found), files.fingerprint.to_string());
  EXPECT_FALSE(found->generated);

  places.directory.write("key.pem", "nonsense");
  auto broken = find_default_certificate(places.options);
  ASSERT_FALSE(broken) << "another certificate than the user's would be a surprise";
  EXPECT_NE(broken.error().text.find("key.pem has no private key"), std::string::npos) << broken.error().text;
}

TEST(TlsDefaultCertificate, AnExpiredOneOfTheUserIsUsedWithANote) {
  Places places;
  testing::Authority authority(places.directory);
  auto files = authority.self_signed("mine", {.validity = 1h, .not_before = wall_now() - 2h});
  fs::rename(files.cert, places.directory.path("cert.pem"));
  fs::rename(files.key, places.directory.path("key.pem"));
  auto found = find_default_certificate(places.options);
  ASSERT_TRUE(found);
  EXPECT_EQ(print(*found), files.fingerprint.to_string());
  EXPECT_NE(found->note.find("expired on"), std::string::npos);
}

TEST(TlsDefaultCertificate, OursIsReplacedWhenItHasExpiredOrIsDamaged) {
  Places places;
  auto old = places.options;
  old.generate.not_before = wall_now() - 2h;
  old.generate.validity = 1h;
  auto first = find_default_certificate(old);
  ASSERT_TRUE(first);
  auto second = find_default_certificate(places.options);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->generated);
  EXPECT_NE(print(*second), print(*first));
  EXPECT_NE(second->note.find("it expired on"), std::string::npos) << second->note;
  EXPECT_NE(second->note.find(print(*second)), std::string::npos);

  places.directory.write("a/gost/key.pem", "x");
  auto third = find_default_certificate(places.options);
  ASSERT_TRUE(third);
  EXPECT_NE(third->note.find("key.pem has no private key"), std::string::npos) << third->note;
  auto fourth = find_default_certificate(places.options);
  EXPECT_EQ(print(*fourth), print(*third));
}

TEST(TlsDefaultCertificate, WithoutAPlaceItIsInMemoryAndSaysSo) {
  Places places;
  places.options.state_directory = places.directory.write("file", "") + "/gost";
  auto found = find_default_certificate(places.options);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->generated);
  EXPECT_EQ(found->file, "");
  EXPECT_NE(found->note.find("only in memory"), std::string::npos);
  EXPECT_NE(found->note.find("not a directory"), std::string::npos) << found->note;

  places.options.state_directory.clear();
  EXPECT_NE(find_default_certificate(places.options)->note.find("HOME"), std::string::npos);
}

TEST(TlsDefaultCertificate, ProcessesThatStartAtOnceAgree) {
  Places places;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    pid_t child = ::fork();
    if (child == 0) {
      auto found = find_default_certificate(places.options);
      if (found) std::ofstream(places.directory.path("print" + std::to_string(i))) << print(*found);
      ::_exit(found ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  for (int i = 1; i < 4; ++i)
    EXPECT_EQ(places.directory.read("print" + std::to_string(i)), places.directory.read("print0"));
}

TEST(TlsDefaultCertificate, ItsPlaceFollowsTheEnvironment) {
  ::setenv("XDG_STATE_HOME", "/state", 1);
  EXPECT_EQ(default_state_directory(), "/state/gost");
  ::setenv("XDG_STATE_HOME", "relative", 1);
  ::setenv("HOME", "/home/me", 1);
  EXPECT_EQ(default_state_directory(), "/home/me/.local/state/gost");
  ::unsetenv("HOME");
  EXPECT_EQ(default_state_directory(), "");
}

}  // namespace
}  // namespace gost::tls
