-- One step over all buckets of a call, atomic because Redis runs a script alone. budget.py holds the same steps in
-- Python for a process without Redis, and explains them; a test lets both answer the same story.
-- KEYS: one hash per bucket. ARGV[1]: the step as JSON. Hash: s<slot> = used, l<id> = a lease's end, else told values.
local step = cjson.decode(ARGV[1])
local now = step.now
local SLOTS, POLL = 100, 0.05

local function text(number) return string.format('%.17g', number) end

local function load(key)
  local state, flat = {slots = {}, leases = {}, told = {}}, redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    local name, value = flat[i], tonumber(flat[i + 1])
    local mark, rest = string.sub(name, 1, 2), string.sub(name, 3)
    if mark == 's:' then state.slots[tonumber(rest)] = value
    elseif mark == 'l:' then state.leases[rest] = value
    else state.told[name] = value end
  end
  return state
end

local function tell(key, state, name, value)
  state.told[name] = value
  if value == nil then redis.call('HDEL', key, name) else redis.call('HSET', key, name, text(value)) end
end

local function span(bucket, state)
  local window = state.told.window or bucket.window
  if bucket.sliding then return window, window / SLOTS, window + math.min(0.5, window * 0.02) end
  return window, window, 0
end

local function share(total, bucket)
  if step.lane == 'person' then return total end
  return math.max(1, math.floor(total * (1 - bucket.reserve) + 1e-9))
end

local function prune(key, state, window, width, hold)
  for slot in pairs(state.slots) do
    local frees = (slot + 1) * width + hold
    if frees <= now or slot * width > now + window then
      state.slots[slot] = nil
      redis.call('HDEL', key, 's:' .. string.format('%.0f', slot))
    end
  end
  for id, ends in pairs(state.leases) do
    if ends <= now then
      state.leases[id] = nil
      redis.call('HDEL', key, 'l:' .. id)
    end
  end
end

local function window_wait(state, width, hold, need, allowed)
  local used, frees = 0, {}
  for slot, count in pairs(state.slots) do
    used = used + count
    frees[#frees + 1] = {(slot + 1) * width + hold, count}
  end
  local over, wait = used + need - allowed, 0
  table.sort(frees, function(a, b) return a[1] < b[1] end)
  for _, entry in ipairs(frees) do
    if over <= 0 then break end
    over, wait = over - entry[2], entry[1] - now
  end
  return wait
end

local function bucket_wait(key, bucket, state)
  local window, width, hold = span(bucket, state)
  local told, wait = state.told, 0
  prune(key, state, window, width, hold)
  if told.block then wait = math.max(wait, told.block - now) end
  local limit, need, keep = told.limit or bucket.limit, bucket.cost, 0
  if limit then
    local allowed = share(limit, bucket)
    need, keep = math.min(need, allowed), limit - allowed
    wait = math.max(wait, window_wait(state, width, hold, need, allowed))
  end
  if told.left and told.left_until > now and told.left - need < keep then
    wait = math.max(wait, told.left_until - now)
  end
  if bucket.concurrency then
    local count = 0
    for _ in pairs(state.leases) do count = count + 1 end
    if count >= share(bucket.concurrency, bucket) then wait = math.max(wait, POLL) end
  end
  return wait
end

local function expire(key, window, told)
  local keep = math.max(2 * window, 86400, (told.block or 0) - now, (told.left_until or 0) - now)
  redis.call('EXPIRE', key, math.ceil(keep) + 60)
end

local function take()
  local states, longest, tightest = {}, 0, 0
  for i, bucket in ipairs(step.buckets) do
    states[i] = load(KEYS[i])
    local wait = bucket_wait(KEYS[i], bucket, states[i])
    if wait > longest then longest, tightest = wait, i end
  end
  if longest > 0 then return {text(longest), tightest} end
  for i, bucket in ipairs(step.buckets) do
    local key, state = KEYS[i], states[i]
    local window, width = span(bucket, state)
    local slot = math.floor(now / width)
    redis.call('HSET', key, 's:' .. string.format('%.0f', slot), text((state.slots[slot] or 0) + bucket.cost))
    redis.call('HSET', key, 'l:' .. step.id, text(now + step.lease))
    if state.told.left then tell(key, state, 'left', math.max(0, state.told.left - bucket.cost)) end
    expire(key, window, state.told)
  end
  return {'0', 0}
end

local function feed(key, bucket, state)
  local reading = bucket.reading
  if reading.window and reading.window ~= (state.told.window or bucket.window) then
    for slot in pairs(state.slots) do redis.call('HDEL', key, 's:' .. string.format('%.0f', slot)) end
    state.slots = {}
    tell(key, state, 'window', reading.window)
  end
  if reading.limit then tell(key, state, 'limit', reading.limit) end
  if reading.resets_at then tell(key, state, 'reset', reading.resets_at) end
  if reading.remaining then
    local flying = 0
    for _ in pairs(state.leases) do flying = flying + 1 end
    local trust = now + math.min(math.max((state.told.window or bucket.window) / 10, 1), 3600)
    tell(key, state, 'left', math.max(0, reading.remaining - flying))
    tell(key, state, 'left_until', reading.resets_at or trust)
  end
end

local function hit(key, bucket, state)
  local told = state.told
  if bucket.until_ then return tell(key, state, 'block', math.max(told.block or 0, bucket.until_)) end
  if told.block and told.block > now then return end
  if told.reset and told.reset > now then return tell(key, state, 'block', told.reset) end
  local window = told.window or bucket.window
  local hits = (told.hits or 0) + 1
  local pause = math.max(math.min(window, 60), (told.learned or 0) / 2)
  if hits > 1 then pause = math.min(math.max(window, 900), told.pause * 2) else tell(key, state, 'hit_at', now) end
  tell(key, state, 'hits', hits)
  tell(key, state, 'pause', pause)
  tell(key, state, 'block', now + pause)
end

local function settle()
  local wait = 0
  for i, bucket in ipairs(step.buckets) do
    local key, state = KEYS[i], load(KEYS[i])
    local told = state.told
    redis.call('HDEL', key, 'l:' .. step.id)
    state.leases[step.id] = nil
    if bucket.reading then feed(key, bucket, state) end
    if bucket.hit then
      hit(key, bucket, state)
      wait = math.max(wait, told.block - now)
    elseif step.good and told.hits and told.block <= now then
      tell(key, state, 'learned', told.block - told.hit_at)
      tell(key, state, 'hits', nil)
    end
    expire(key, told.window or bucket.window, told)
  end
  return {text(wait), 0}
end

if step.op == 'take' then return take() end
return settle()
