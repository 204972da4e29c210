--- Talking to the server, the same in every supported Neovim.

local text = require('dcomplete.text')

local M = {}

M.NAME = 'dcomplete'
local modern = vim.fn.has('nvim-0.11') == 1

---@class dcomplete.Pending
---@field client vim.lsp.Client
---@field id integer

--- The client of a buffer, once it is initialized.
---@param buf integer
---@return vim.lsp.Client?
function M.client(buf)
  return vim.lsp.get_clients({ bufnr = buf, name = M.NAME })[1]
end

--- Every client, those whose server is still starting included.
---@return vim.lsp.Client[]
function M.clients()
  return vim.lsp.get_clients({ name = M.NAME, _uninitialized = true })
end

---@param client vim.lsp.Client
---@param method string
---@param params table
---@param handler fun(error: lsp.ResponseError?, result: any)
---@param buf integer
---@return dcomplete.Pending? pending nil if the server is gone
function M.request(client, method, params, handler, buf)
  local ok, id
  if modern then
    ok, id = client:request(method, params, handler, buf)
  else
    ok, id = client.request(method, params, handler, buf)
  end
  return ok and { client = client, id = id } or nil
end

---@param client vim.lsp.Client
---@param method string
---@param params table
function M.notify(client, method, params)
  if modern then
    client:notify(method, params)
  else
    client.notify(method, params)
  end
end

---@param pending dcomplete.Pending
function M.cancel(pending)
  if modern then
    pending.client:cancel_request(pending.id)
  else
    pending.client.cancel_request(pending.id)
  end
end

local stopped = {} ---@type table<integer, true> clients that were told to stop

--- Whether a client was told to stop, and did not end by itself.
---@param client vim.lsp.Client
---@return boolean
function M.was_stopped(client)
  return stopped[client.id] == true
end

---@param client vim.lsp.Client
---@param force? boolean
function M.stop(client, force)
  stopped[client.id] = true
  if modern then
    client:stop(force)
  else
    client.stop(force)
  end
end

---@param client vim.lsp.Client
---@return boolean
function M.is_stopped(client)
  if modern then
    return client:is_stopped()
  end
  return client.is_stopped()
end

--- Run an item's command on the server, as the protocol asks after an insertion.
---@param client vim.lsp.Client
---@param command? lsp.Command
---@param buf integer
function M.execute(client, command, buf)
  if command then
    local params = { command = command.command, arguments = command.arguments }
    M.request(client, 'workspace/executeCommand', params, function() end, buf)
  end
end

--- A byte of a place's line as a position of the protocol.
---@param client vim.lsp.Client
---@param place dcomplete.Place
---@param byte integer from 0
---@return lsp.Position
function M.position(client, place, byte)
  local character = text.to_units(place.line, byte, client.offset_encoding)
  return { line = place.row, character = character }
end

--- The parameters of an inline completion at a place of a buffer.
---@param client vim.lsp.Client
---@param buf integer
---@param place dcomplete.Place
---@param invoked boolean
---@param selected? dcomplete.Selected
---@return table
function M.params(client, buf, place, invoked, selected)
  local function position(byte)
    return M.position(client, place, byte)
  end
  local context = { triggerKind = invoked and 1 or 2 }
  if selected then
    context.selectedCompletionInfo = {
      range = { start = position(selected.start), ['end'] = position(place.col) },
      text = selected.word,
    }
  end
  return {
    textDocument = { uri = vim.uri_from_bufnr(buf) },
    position = position(place.col),
    context = context,
    formattingOptions = {
      tabSize = vim.lsp.util.get_effective_tabstop(buf),
      insertSpaces = vim.bo[buf].expandtab,
    },
  }
end

return M
