--- `:Dcomplete restart`: the engine's process and the server, for the buffers that had it.

local client = require('dcomplete.client')
local wire = require('dcomplete.wire')

local M = {}

local PATIENCE_MS = 3000 -- for the server to end by itself

--- Whether the clients have let go of their buffers. One that was only told to stop would still take
--- what listens in a buffer away from the next.
---@param stopped vim.lsp.Client[]
---@return boolean
local function all_gone(stopped)
  return vim.iter(stopped):all(function(one)
    return vim.lsp.get_client_by_id(one.id) == nil
  end)
end

---@param stopped vim.lsp.Client[]
---@param buffers table<integer, true>
---@param waited integer milliseconds
local function start_again(stopped, buffers, waited)
  if not all_gone(stopped) and waited < 2 * PATIENCE_MS then
    if waited == PATIENCE_MS then
      for _, one in ipairs(stopped) do
        wire.stop(one, true)
      end
    end
    vim.defer_fn(function()
      start_again(stopped, buffers, waited + 100)
    end, 100)
    return
  end
  for buf in pairs(buffers) do
    if vim.api.nvim_buf_is_valid(buf) then
      client.start(buf)
    end
  end
end

--- Stop the server, and the engine behind it, and start both again.
function M.run()
  local current = vim.api.nvim_get_current_buf()
  local stopped, buffers = wire.clients(), { [current] = true }
  for _, one in ipairs(stopped) do
    for buf in pairs(one.attached_buffers) do
      buffers[buf] = true
    end
    if one.initialized then
      local params = { command = 'dcomplete.restartEngine', arguments = {} }
      wire.request(one, 'workspace/executeCommand', params, function()
        wire.stop(one)
      end, current)
    else
      wire.stop(one, true) -- it may hang in its start, and may be asked for nothing before that ends
    end
  end
  start_again(stopped, buffers, 0)
end

return M
