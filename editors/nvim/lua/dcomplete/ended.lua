--- The server's end: what is told about it, and when it is started again.

local config = require('dcomplete.config')
local status = require('dcomplete.status')
local wire = require('dcomplete.wire')

local M = {}

-- As in the extension for VS Code: a server that ends at once must not be started for ever.
local MOST_RESTARTS = 4
local RESTARTS_WITHIN_MS = 180000

local ends = {} ---@type table<integer, integer> when each client ended, in milliseconds

---@param client vim.lsp.Client
---@return boolean
local function may_start_again(client)
  local now, recent = vim.uv.now(), 0
  ends[client.id] = ends[client.id] or now
  for _, at in pairs(ends) do
    recent = recent + (now - at < RESTARTS_WITHIN_MS and 1 or 0)
  end
  return recent <= MOST_RESTARTS
end

--- What a person reads, and whether the next key starts the server.
---@param client vim.lsp.Client
---@return string message
---@return boolean revive
local function outlook(client)
  if not may_start_again(client) then
    local often = 'The server ended five times within three minutes; ":Dcomplete log" may say why.'
    return often, false
  elseif config.get().autostart and config.get().enabled then
    return 'The server has ended; it starts again when you type.', true
  end
  return 'The server has ended; ":Dcomplete restart" starts it again.', false
end

--- A buffer has lost its server.
---@param buf integer
---@param client vim.lsp.Client
---@return boolean revive whether the next key in that buffer is to start it again
function M.detached(buf, client)
  if vim.v.exiting ~= vim.NIL or not vim.api.nvim_buf_is_valid(buf) then
    return false
  end
  if not wire.is_stopped(client) or wire.was_stopped(client) then
    status.forget(buf)
    return false
  end
  local message, revive = outlook(client)
  status.set({ kind = 'error', reason = status.ENDED, message = message }, buf)
  return revive
end

return M
