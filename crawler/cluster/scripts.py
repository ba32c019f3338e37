"""What happens to the shared frontier in one step, inside Redis: a kill between two halves would lose an address.

    <prefix>:queue:<host>   waiting requests of a host, most urgent first
    <prefix>:ready:<shard>  hosts of a shard that have waiting requests, by when to look at them again
    <prefix>:leases         requests that a worker has in hand, by when they are taken back
    <prefix>:seen           digests of what was ever queued
    <prefix>:tries          how often a request was taken back
    <prefix>:given_up       requests that were taken back too often: kept for a person to look at
    copydesk:busy           hosts, by when the next request may go there: every worker's, every spider's

A lease names its shard and host in its first two lines, so that it can go back where it came from. Times are the server's.
"""

NOW = "local time = redis.call('TIME') local now = time[1] + time[2] / 1000000\n"
FRONT = "-9000000000000000"  # a score before all others: what was taken back has waited long enough

PUSH = """
local prefix, shard, host, data, priority, once = unpack(ARGV)
if once ~= '' and redis.call('SADD', prefix .. ':seen', once) == 0 then return 0 end
local place = redis.call('INCR', prefix .. ':counter')
redis.call('ZADD', prefix .. ':queue:' .. host, 'NX', place - priority * 4294967296, data)
redis.call('ZADD', prefix .. ':ready:' .. shard, 'NX', 0, host)
return 1
"""

POP = (
    NOW
    + """
local prefix, shard, lease, busy = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local ready = prefix .. ':ready:' .. shard
for _, host in ipairs(redis.call('ZRANGEBYSCORE', ready, '-inf', now, 'LIMIT', 0, 500)) do
    local free = tonumber(redis.call('ZSCORE', busy, host) or '0')
    if free > now then
        redis.call('ZADD', ready, math.min(free, now + 0.5), host)
    else
        local queue = prefix .. ':queue:' .. host
        local data = redis.call('ZPOPMIN', queue)[1]
        if redis.call('EXISTS', queue) == 0 then
            redis.call('ZREM', ready, host)
        else
            redis.call('ZADD', ready, now + 0.05, host)
        end
        if data then
            local member = shard .. '\\n' .. host .. '\\n' .. data
            redis.call('ZADD', busy, now + lease, host)
            redis.call('ZADD', prefix .. ':leases', now + lease, member)
            return member
        end
    end
end
return false
"""
)

DONE = (
    NOW
    + """
local prefix, member, pause, busy = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local shard, host, data = string.match(member, '^(%d+)\\n([^\\n]*)\\n(.*)$')
local queue = prefix .. ':queue:' .. host
redis.call('ZREM', prefix .. ':leases', member)
redis.call('HDEL', prefix .. ':tries', member)
if redis.call('ZREM', queue, data) == 1 and redis.call('EXISTS', queue) == 0 then
    redis.call('ZREM', prefix .. ':ready:' .. shard, host)
end
redis.call('ZADD', busy, now + pause, host)
redis.call('ZADD', prefix .. ':ready:' .. shard, 'XX', now + pause, host)
return 1
"""
)  # it may have been taken back meanwhile: then it need not be done again

GIVE_BACK = (
    NOW
    + """
local prefix, member, wait, busy = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
if redis.call('ZREM', prefix .. ':leases', member) == 0 then return 0 end
local shard, host, data = string.match(member, '^(%d+)\\n([^\\n]*)\\n(.*)$')
redis.call('ZADD', prefix .. ':queue:' .. host, '"""
    + FRONT
    + """', data)
redis.call('ZADD', prefix .. ':ready:' .. shard, 'NX', 0, host)
redis.call('ZADD', busy, now + wait, host)
return 1
"""
)

SET_ASIDE = (
    NOW
    + """
redis.call('ZREM', ARGV[1] .. ':leases', ARGV[2])
redis.call('ZADD', ARGV[1] .. ':given_up', now, ARGV[2])
redis.call('HDEL', ARGV[1] .. ':tries', ARGV[2])
redis.call('ZREM', ARGV[3], (string.match(ARGV[2], '^%d+\\n([^\\n]*)\\n')))
return 1
"""
)

BEAT = (
    NOW
    + """
local prefix, lease, most, busy = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local leases = prefix .. ':leases'
for i = 5, #ARGV do
    if redis.call('ZSCORE', leases, ARGV[i]) then
        redis.call('ZADD', leases, now + lease, ARGV[i])
        redis.call('ZADD', busy, now + lease, (string.match(ARGV[i], '^%d+\\n([^\\n]*)\\n')))
    end
end
local back, lost = 0, 0
for _, member in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 500)) do
    local shard, host, data = string.match(member, '^(%d+)\\n([^\\n]*)\\n(.*)$')
    redis.call('ZREM', leases, member)
    if redis.call('HINCRBY', prefix .. ':tries', member, 1) > most then
        redis.call('ZADD', prefix .. ':given_up', now, member)
        redis.call('HDEL', prefix .. ':tries', member)
        lost = lost + 1
    else
        redis.call('ZADD', prefix .. ':queue:' .. host, '"""
    + FRONT
    + """', data)
        redis.call('ZADD', prefix .. ':ready:' .. shard, 'NX', 0, host)
        back = back + 1
    end
end
redis.call('ZREMRANGEBYSCORE', busy, '-inf', now)
return {back, lost}
"""
)

PENDING = (
    NOW
    + """
local prefix, shard, patience, busy = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local count = redis.call('ZCARD', prefix .. ':leases')
if count > 0 then return count end
for _, host in ipairs(redis.call('ZRANGE', prefix .. ':ready:' .. shard, 0, 1000)) do
    if tonumber(redis.call('ZSCORE', busy, host) or '0') <= now + patience then count = count + 1 end
end
return count
"""
)  # leases of all shards: what they bring may be for ours; hosts that are closed for long are for another run

AGREE = """
local known = redis.call('GET', KEYS[1])
if known and known ~= ARGV[1] then return known end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
"""
