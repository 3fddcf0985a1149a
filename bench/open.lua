-- wrk -s open.lua URL -- TOKEN IDS SEED: open random contacts; one line of JSON at the end.
local paths, head = {}, nil

function init(args)
  head = {["Authorization"] = "Bearer " .. args[1]}
  for id in io.lines(args[2]) do
    paths[#paths + 1] = wrk.format("GET", "/v1/contacts/" .. id .. "?purpose=serve&reason=call", head)
  end
  math.randomseed(tonumber(args[3]))
end

function request()
  return paths[math.random(#paths)]
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'DONE {"count":%d,"seconds":%f,"p50_ms":%f,"p95_ms":%f,"p99_ms":%f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(95) / 1000,
    latency:percentile(99) / 1000, e.connect + e.read + e.write + e.status + e.timeout))
end
