-- May this request pass, and is its answer known? One round trip: revocation, sliding window, cached page.
-- KEYS: revocation mark, window, generation of the caller's pages, page prefix
-- ARGV: now (s), window (s), limit (requests per window), page name ("" = none), cost (-1 takes one back, 0 only asks)
-- Answers {2, 0} revoked; {1, seconds} limited, admitted after so many; {0, generation, page}
if redis.call('EXISTS', KEYS[1]) == 1 then return {2, 0} end
local now, window, limit, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5])
local slot, share = math.floor(now / window), now % window / window
local current = KEYS[2] .. ':' .. slot
local count = tonumber(redis.call('GET', current) or '0')
local before = tonumber(redis.call('GET', KEYS[2] .. ':' .. (slot - 1)) or '0')
if cost > 0 and before * (1 - share) + count >= limit then
  local wait = count < limit and 1 - (limit - count) / before - share or 2 - limit / math.max(count, 1) - share
  return {1, math.floor(wait * window + 1e-3) + 1}
end
if cost ~= 0 then redis.call('SET', current, math.max(0, count + cost), 'EX', 2 * window) end
if ARGV[4] == '' then return {0, 0} end
local generation = redis.call('GET', KEYS[3]) or '0'
return {0, generation, redis.call('GET', KEYS[4] .. generation .. ':' .. ARGV[4])}
