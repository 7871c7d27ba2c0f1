// The whole configuration, as GOST's schema has it.
#pragma once

#include "config/model_chain.hpp"
#include "config/model_objects.hpp"
#include "config/model_service.hpp"

namespace gost::config {

struct Config : Located {
  std::vector<Service> services;
  std::vector<Chain> chains;
  std::vector<Hop> hops;
  std::vector<Auther> authers;
  std::vector<Admission> admissions;
  std::vector<Bypass> bypasses;
  std::vector<Resolver> resolvers;
  std::vector<Hosts> hosts;
  std::vector<Value> ingresses, routers, sds;  ///< raw: read and printed only
  std::vector<Recorder> recorders;
  std::vector<Limiter> limiters, climiters, rlimiters;
  std::vector<Quota> quotas;
  std::vector<Observer> observers;
  std::vector<Value> rewriters, caches;  ///< raw: read and printed only
  std::vector<Logger> loggers;
  std::optional<Tls> tls;
  std::optional<Log> log;
  std::optional<Profiling> profiling;
  std::optional<Api> api;
  std::optional<Metrics> metrics;
  friend bool operator==(const Config&, const Config&) = default;
};
template <class V>
void describe(V& visit, Is<Config> auto& it) {
  visit("services", it.services, Show::always);
  visit("chains", it.chains);
  visit("hops", it.hops);
  visit("authers", it.authers);
  visit("admissions", it.admissions);
  visit("bypasses", it.bypasses);
  visit("resolvers", it.resolvers);
  visit("hosts", it.hosts);
  visit("ingresses", it.ingresses);
  visit("routers", it.routers);
  visit("sds", it.sds);
  visit("recorders", it.recorders);
  visit("limiters", it.limiters);
  visit("climiters", it.climiters);
  visit("rlimiters", it.rlimiters);
  visit("quotas", it.quotas);
  visit("observers", it.observers);
  visit("loggers", it.loggers);
  visit("rewriters", it.rewriters);
  visit("caches", it.caches);
  visit("tls", it.tls);
  visit("log", it.log);
  visit("profiling", it.profiling);
  visit("api", it.api);
  visit("metrics", it.metrics);
}

}  // namespace gost::config
