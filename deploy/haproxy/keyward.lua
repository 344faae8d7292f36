-- Lets Keyward decide on a request: the action `http-request lua.keyward URL`, such as
-- http://127.0.0.1:8000/check/haproxy. For HAProxy 2.6 and later, which have an HTTP client for Lua.
--
-- An allow sets the variable txn.keyward_allowed and the identity headers of the request. A denial is answered with what
-- Keyward says. Whatever else happens leaves the variable unset: the rule after this action has to refuse the request then.

-- A check takes well under a millisecond: this is room for a pause of the machine. Milliseconds.
local TIMEOUT = 1000

-- What Keyward must not be told by the client: the original request and the address are ours to tell, the others belong to
-- the connection.
local NOT_PASSED = {
  ["x-forwarded-method"] = true, ["x-forwarded-uri"] = true, ["x-forwarded-host"] = true, ["x-real-ip"] = true,
  ["host"] = true, ["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true, ["expect"] = true,
  ["upgrade"] = true, ["te"] = true, ["trailer"] = true, ["keep-alive"] = true, ["http2-settings"] = true,
}

-- Who it was, for the upstream (`identity_headers`).
local IDENTITY = { "x-keyward-key-id", "x-keyward-owner", "x-keyward-tenant", "x-keyward-scopes" }

-- What of Keyward's answer to an allow is told to the client, by haproxy.cfg.
local TOLD = { "ratelimit", "ratelimit-policy", "sunset", "x-keyward-key-expires-in" }

-- What of a denial is the client's to see.
local DENIAL = {
  "content-type", "www-authenticate", "retry-after", "ratelimit", "ratelimit-policy", "x-keyward-reason",
  "x-keyward-decision-id",
}

-- A name as back ends may read it that take "_" and "." for "-".
local function folded(name)
  return (name:lower():gsub("[_.]", "-"))
end

local function headers_for_keyward(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not NOT_PASSED[name:lower()] then
      local list = {}
      for _, value in pairs(values) do list[#list + 1] = value end
      headers[name] = list
    end
  end
  headers["x-forwarded-method"] = { txn.f:method() }
  headers["x-forwarded-uri"] = { txn.f:pathq() }
  headers["x-forwarded-host"] = { txn.f:req_fhdr("host") }
  headers["x-real-ip"] = { txn.f:src() }
  return headers
end

local function first(headers, name)
  local values = headers and headers[name]
  return values and values[0]
end

local function deny(txn, answer)
  local headers = {}
  for _, name in ipairs(DENIAL) do
    local value = first(answer.headers, name)
    if value then headers[name] = { value } end
  end
  txn:done(txn:reply { status = answer.status, headers = headers, body = answer.body })
end

core.register_action("keyward", { "http-req" }, function(txn, url)
  txn:set_var("txn.keyward_allowed", false)
  local answer = core.httpclient():get { url = url, headers = headers_for_keyward(txn), timeout = TIMEOUT }
  if answer.status ~= 200 then
    -- Without the header it is not Keyward that answers.
    if answer.status and answer.status >= 400 and first(answer.headers, "x-keyward-reason") then deny(txn, answer) end
    return
  end

  -- Identity headers come from Keyward or not at all, in whatever spelling.
  for name in pairs(txn.http:req_get_headers()) do
    for _, identity in ipairs(IDENTITY) do
      if folded(name) == folded(identity) then txn.http:req_del_header(name) end
    end
  end
  for _, name in ipairs(IDENTITY) do
    local value = first(answer.headers, name)
    if value and value ~= "" then txn.http:req_set_header(name, value) end
  end
  for _, name in ipairs(TOLD) do
    local value = first(answer.headers, name)
    if value then txn:set_var("txn.keyward_" .. name:gsub("-", "_"), value) end
  end
  txn:set_var("txn.keyward_allowed", true)
end, 1)
