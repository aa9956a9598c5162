-- May this request pass, and is its answer known? One round trip: revocation, sliding window, cached page.
-- KEYS: revocation mark, window, generation of the caller's pages, page prefix
-- ARGV: now (s), window (s), limit (requests per window), page name ("" = none)
if redis.call('EXISTS', KEYS[1]) == 1 then return {2, 0} end
local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local slot = math.floor(now / window)
local current = KEYS[2] .. ':' .. slot
local count = tonumber(redis.call('GET', current) or '0')
local before = tonumber(redis.call('GET', KEYS[2] .. ':' .. (slot - 1)) or '0')
if before * (1 - (now % window) / window) + count >= limit then return {1, 0} end
redis.call('INCR', current)
if count == 0 then redis.call('EXPIRE', current, 2 * window) end
if ARGV[4] == '' then return {0, 0} end
local generation = redis.call('GET', KEYS[3]) or '0'
return {0, generation, redis.call('GET', KEYS[4] .. generation .. ':' .. ARGV[4])}
