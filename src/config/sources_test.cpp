#include "config/sources.hpp"

#include "config/decode.hpp"
#include "config/print.hpp"
#include "config/yaml_scalar.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace gost::config {
namespace {

Config from_yaml(std::string_view text) {
  auto tree = parse_yaml(text, "t.yaml");
  EXPECT_TRUE(tree) << tree.error().text;
  Problems problems;
  Config config = decode(*tree, problems);
  for (const Problem& problem : problems) ADD_FAILURE() << problem.to_string();
  return config;
}

std::string yaml_error(std::string_view text, const ReadLimits& limits = {}) {
  auto tree = parse_yaml(text, "t.yaml", limits);
  return tree ? "parsed" : tree.error().text;
}

TEST(Yaml, TypesScalarsAsGost) {
  auto tree =
      parse_yaml("{a: 1, b: 0x1f, c: 0755, d: 1.5, e: true, f: yes, g: ~, h: '5', i: 1_000, j: .inf, k: }", "t");
  ASSERT_TRUE(tree);
  const auto& map = *tree->map();
  EXPECT_EQ(*map[0].value.integer(), 1);
  EXPECT_EQ(*map[1].value.integer(), 31);
  EXPECT_EQ(*map[2].value.integer(), 493);
  EXPECT_EQ(*map[3].value.real(), 1.5);
  EXPECT_EQ(*map[4].value.boolean(), true);
  EXPECT_EQ(*map[5].value.string(), "yes");
  EXPECT_TRUE(map[6].value.is_null());
  EXPECT_EQ(*map[7].value.string(), "5");
  EXPECT_EQ(*map[8].value.integer(), 1000);
  EXPECT_TRUE(map[10].value.is_null());
  EXPECT_EQ(map[1].origin.to_string(), "t:1:8");
}

TEST(Yaml, ExpandsAliasesAndMerges) {
  Config config = from_yaml(
      "services:\n  - &s {name: a, addr: ':1', handler: {type: socks5}}\n"
      "  - {<<: *s, name: b}\n");
  ASSERT_EQ(config.services.size(), 2U);
  EXPECT_EQ(config.services[1].name, "b");
  EXPECT_EQ(config.services[1].handler->type, "socks5");
  EXPECT_EQ((*parse_yaml("? !!merge <<\n: {a: 1}\n", "t")).map()->at(0).key, "a");
}

TEST(Yaml, AQuotedMergeKeyIsAnOrdinaryKey) {
  auto tree = parse_yaml("'<<': x\n\"a\": {\"<<\": {b: 1}}\n", "t.yaml");
  ASSERT_TRUE(tree) << tree.error().text;
  EXPECT_EQ(tree->map()->at(0).key, "<<");
  EXPECT_EQ(tree->map()->at(1).value.map()->at(0).key, "<<");
}

TEST(Yaml, RefusesBombs) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_NE(yaml_error(bomb).find("values"), std::string::npos);
  EXPECT_NE(yaml_error(std::string(100000, '[')).find("t.yaml:1:"), std::string::npos);
  EXPECT_EQ(yaml_error("a: b", {.bytes = 3}), "t.yaml: larger than 3 bytes");
  EXPECT_NE(yaml_error(std::string(200, 'k') + ": 1").find("a key is longer than 128 bytes"), std::string::npos);
}

TEST(Yaml, RefusesHugeMaps) {
  EXPECT_EQ(yaml_error("a: 1\nb: 2\nc: 3\n", {.map_keys = 2}), "t.yaml:3:1: more than 2 keys in one map");
  EXPECT_EQ(parse_json("{\"a\": 1, \"b\": 2}", "t.json", {.map_keys = 1}).error().text,
            "t.json:1:10: more than 1 keys in one map");
}

TEST(Yaml, RefusesDuplicateKeysWhateverTheCase) {
  EXPECT_EQ(yaml_error("addr: 1\nAddr: 2\n"), "t.yaml:2:1: mapping key \"Addr\" already defined at line 1");
}

TEST(Json, ReadsWithPositions) {
  auto tree = parse_json("{\n  \"a\\\"\": [1, 2.5, \"x,y\"],\n  \"b\": {\"c\": true, \"d\": null}\n}", "t.json");
  ASSERT_TRUE(tree) << tree.error().text;
  const auto& map = *tree->map();
  EXPECT_EQ(map[0].key, "a\"");
  EXPECT_EQ((*map[0].value.list())[2].origin.to_string(), "t.json:2:19");
  EXPECT_EQ(map[1].origin.to_string(), "t.json:3:3");
  EXPECT_EQ((*map[1].value.map())[1].origin.to_string(), "t.json:3:20");
}

TEST(Json, RefusesWhatYamlRefuses) {
  auto error_of = [](std::string_view text) { return parse_json(text, "t.json").error().text; };
  EXPECT_EQ(error_of("{\"a\": 1,\n \"A\": 2}"), "t.json:2:2: key \"A\" already defined at line 1");
  EXPECT_NE(error_of(std::string(1000, '[')).find("nested more than 64 deep"), std::string::npos);
  EXPECT_EQ(error_of("{\"a\": "), "t.json:1:7: json: the text ends too early");
}

TEST(Decode, ConvertsAsGost) {
  Config config = from_yaml(
      "Services:\n  name: a\n  ADDR: :1\n  admissions: x,y\n  handler: {type: socks5, retries: '2'}\n"
      "chains:\n- name: c\n  hops:\n  - name: h\n    selector: {failTimeout: 1m30s}\n    nodes: []\n");
  EXPECT_EQ(config.services.at(0).addr, ":1");
  EXPECT_EQ(config.services[0].admissions, (TextList{"x", "y"}));
  EXPECT_EQ(config.services[0].handler->retries, 2);
  EXPECT_EQ(config.chains.at(0).hops.at(0).selector->fail_timeout, std::chrono::seconds(90));
  EXPECT_EQ(config.services[0].handler->origin.to_string(), "t.yaml:5:12");
}

TEST(Decode, PrintsWhatItReadInBothFormats) {
  const char* text =
      "services:\n  - name: \"1080\"\n    handler:\n      type: socks5\n      chainGroup:\n"
      "        chains:\n          - a\n          - chain: b\n            matcher:\n"
      "              rule: Host(`x`)\n      metadata:\n        a2:\n          - 1\n          - \"on\"\n          - "
      "{}\n        a10: 1.5\n"
      "        b: |-\n          two\n\n          lines\n        c: \"\\ttab\"\n        d: !!binary /w==\n"
      "        e: null\ntls:\n  validity: 8760h0m0s\nlog: {}\n";
  Config config = from_yaml(text);
  EXPECT_EQ(print_yaml(config), text);
  auto tree = parse_json(print_json(config), "t.json");
  ASSERT_TRUE(tree) << tree.error().text;
  Problems problems;
  Config again = decode(*tree, problems);
  EXPECT_EQ(again.tls, config.tls);
  EXPECT_EQ(again.services[0].handler->chain_group, config.services[0].handler->chain_group);
}

RC_GTEST_PROP(Decode, TextsSurviveYamlAndJson, (const std::string& text, const std::string& raw)) {
  Config config;
  config.services.emplace_back();
  config.services[0].name = text;
  config.services[0].addr = raw;
  config.services[0].metadata.set("k" + text.substr(0, 100), Value(raw + "\n" + text));
  auto tree = parse_yaml(print_yaml(config), "t.yaml");
  RC_ASSERT(tree.has_value());
  Problems problems;
  RC_ASSERT(decode(*tree, problems) == config);
}

Surroundings surroundings(std::map<std::string, std::string> variables, std::string standard_input = {}) {
  Surroundings result;
  result.variable = [=](const std::string& name) -> std::optional<std::string> {
    auto it = variables.find(name);
    return it == variables.end() ? std::nullopt : std::optional(it->second);
  };
  result.read_stdin = [=] { return Result<std::string>(standard_input); };
  return result;
}

class SourcesTest : public testing::Test {
 protected:
  SourcesTest() {
    std::string pattern = testing::TempDir() + "gost-config-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~SourcesTest() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::filesystem::path folder_;
};

std::string load_error(std::vector<std::string> sources, const Surroundings& around = surroundings({})) {
  Flags flags;
  flags.sources = std::move(sources);
  auto loaded = load(flags, around);
  return loaded ? "loaded" : loaded.error().text;
}

TEST_F(SourcesTest, MergesListsAndReplacesSections) {
  Flags flags;
  flags.sources = {write("a.yaml", "services: [{name: a, addr: ':1'}]\nlog: {level: warn, output: x}\n"),
                   write("b.json", R"({"services": [{"name": "b"}], "log": {"format": "text"}})"),
                   R"( {"services": [{"name": "c"}], "authers": [{"name": "u", "reload": "30s"}]} )", "-"};
  flags.services = {":9"};
  auto loaded = load(flags, surroundings({}, "services: [{name: d}]"));
  ASSERT_TRUE(loaded) << loaded.error().text;
  std::vector<std::string> names;
  for (const Service& service : loaded->config.services) names.push_back(service.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "c", "d", "service-0"}));
  EXPECT_EQ(loaded->config.log->format, "text");
  EXPECT_EQ(loaded->config.log->output, "");
  EXPECT_EQ(loaded->config.authers.at(0).loaders.reload, std::chrono::seconds(30));
  EXPECT_TRUE(loaded->file.ends_with("b.json"));
}

TEST_F(SourcesTest, EnvironmentThenFlags) {
  Flags flags;
  flags.services = {":1"};
  auto around = surroundings({{"GOST_LOGGER_LEVEL", "warn"}, {"GOST_METRICS", ":9"}, {"GOST_PROFILING", ":6060"}});
  EXPECT_EQ(load(flags, around)->config.log->level, "warn");
  EXPECT_EQ(load(flags, around)->config.metrics->addr, ":9");
  EXPECT_EQ(load(flags, around)->config.profiling->addr, ":6060");
  flags.debug = true;
  EXPECT_EQ(load(flags, around)->config.log->level, "debug");
  flags.trace = true;
  EXPECT_EQ(load(flags, around)->config.log->level, "trace");
}

TEST_F(SourcesTest, SearchesTheDefaultFile) {
  Surroundings around = surroundings({});
  around.folders = {"/nonexistent", folder_};
  EXPECT_EQ(load_error({}, around).substr(0, 56),
            "Config File \"gost\" Not Found in \"[/nonexistent " + folder_.string().substr(0, 9));
  write("gost.yml", "services: [{name: found}]");
  auto loaded = load(Flags{}, around);
  ASSERT_TRUE(loaded) << loaded.error().text;
  EXPECT_EQ(loaded->config.services.at(0).name, "found");
}

TEST_F(SourcesTest, SaysWhyASourceIsRefused) {
  EXPECT_EQ(load_error({"/nonexistent/x.yml"}), "open /nonexistent/x.yml: no such file or directory");
  EXPECT_NE(load_error({"x.toml"}).find("Unsupported Config Type \"toml\""), std::string::npos);
  EXPECT_NE(load_error({"./noext"}).find("Unsupported Config Type \"\""), std::string::npos);
  EXPECT_NE(load_error({"https://x/y.yml"}).find("not available in this build"), std::string::npos);
  EXPECT_NE(load_error({"-"}).find("stdin: EOF"), std::string::npos);
}

TEST(Metadata, GettersConvertAndRefuse) {
  Metadata options;
  options.set("udpBufferSize", Value(std::string("8192")));
  options.set("TTL", Value(7));
  options.set("wait", Value(std::string("1m")));
  options.set("on", Value(1));
  options.set("bad", Value(std::string("x"), origin_of("-L #1")));
  options.set("skipauth", Value(std::string("a, b,")));
  EXPECT_EQ(**get_int(options, {"udp.bufferSize", "udpbuffersize"}), 8192);
  EXPECT_EQ(**get_duration(options, {"ttl"}), std::chrono::seconds(7));
  EXPECT_EQ(**get_duration(options, {"wait"}), std::chrono::minutes(1));
  EXPECT_TRUE(**get_bool(options, {"on"}));
  EXPECT_FALSE(get_int(options, {"absent"})->has_value());
  EXPECT_EQ(get_int(options, {"bad"}).error().text, "-L #1: bad: the text \"x\" is not a whole number");
  EXPECT_EQ(*get_list(options, {"skipauth"}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(**get_string(options, {"TTL"}), "7");
}

TEST(YamlScalar, QuotesWhatWouldChange) {
  for (auto text :
       {"true", "4096", "0x1f", "1e3", "~", "", "null", "yes", "N", "10:30", "2026-01-02", ".5", "0755", "<<"})
    EXPECT_TRUE(needs_quotes(text)) << text;
  for (auto text : {":1080", "1.2.3.4", "::1", "socks5", "$ 1MB 2MB", "1m0s", "~127.0.0.1", "-", "+x"})
    EXPECT_FALSE(needs_quotes(text)) << text;
  EXPECT_TRUE(yaml_key_less("a2", "a10"));
  EXPECT_TRUE(yaml_key_less("limiter.in", "limiter1"));
  EXPECT_EQ(go_float(1e6), "1e+06");
  EXPECT_EQ(go_float(2.5), "2.5");
}

}  // namespace
}  // namespace gost::config
