-- Sends one request after the other, each with the next token of a file, and says at the end how it went.
--
--   wrk -t1 -s load.lua URL -- FILE FIRST COUNT HEADERS [PAUSE]
--
-- FILE has one token a line (or - for a request without one), and behind it, after a space, the path if it is not that of the URL. FIRST
-- is the index, counted from 0, of the token to begin with, and COUNT how many of the file's are used; after the last of these comes the
-- first again. HEADERS is how many further headers each request has, of a kilobyte each. A path that ends with {n} is another one for each
-- request. PAUSE is how many milliseconds each connection rests before a request: at random, from nothing to twice as much, so that the
-- connections do not march in step.

function setup(thread)
   walker = thread -- there is one thread alone, so that the tokens come in their order
end

-- So many headers, each of which takes 1,024 bytes of the request with its name and all that stands around it.
function kilobytes(count)
   local headers = {}
   for number = 1, count do
      local name = "X-Context-" .. number
      headers[name] = string.rep("0123456789abcdef", 64):sub(1, 1024 - #name - #": \r\n")
   end
   return headers
end

function init(arguments)
   requests = {}
   local count = tonumber(arguments[3])
   local further = kilobytes(tonumber(arguments[4]))
   for line in io.lines(arguments[1]) do
      if #requests == count then
         break
      end
      local token, path = line:match("^(%S+) ?(%S*)$")
      local headers = token ~= "-" and { ["Authorization"] = "Bearer " .. token } or {}
      for name, value in pairs(further) do
         headers[name] = value
      end
      path = path ~= "" and path or wrk.path
      local stem = path:match("^(.*){n}$")
      if stem then
         requests[#requests + 1] = function(n) return wrk.format("GET", stem .. n, headers) end
      else
         requests[#requests + 1] = wrk.format("GET", path, headers)
      end
   end
   position = tonumber(arguments[2])

   local pause = tonumber(arguments[5])
   if pause then
      delay = function() return math.random(0, 2 * pause) end
   end
end

-- wrk looks at one request before it sends any, and takes none of more than 80 KB then: so this one is small, and is never sent.
function request()
   request = next_request
   return wrk.format("GET")
end

function next_request()
   local text = requests[position % #requests + 1]
   position = position + 1
   if type(text) == "function" then
      return text(position)
   end
   return text
end

function done(summary, latency)
   local errors = summary.errors
   local answered = {
      requests = summary.requests,
      microseconds = summary.duration,
      p50_us = latency:percentile(50),
      p99_us = latency:percentile(99),
      refused = errors.status,
      broken = errors.connect + errors.read + errors.write + errors.timeout,
      next = walker:get("position"),
   }
   local members = {}
   for name, number in pairs(answered) do
      members[#members + 1] = string.format('"%s":%d', name, number)
   end
   print("{" .. table.concat(members, ",") .. "}")
end
