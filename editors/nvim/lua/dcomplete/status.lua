--- What dcomplete does, and why nothing appears: for status lines, `:Dcomplete status` and health.

local M = {}

M.ENDED = 'server-ended'
local NO_SERVER = { ['no-server'] = true, [M.ENDED] = true } -- reasons that a server's start ends

---@class dcomplete.Status
---@field kind 'ready'|'loading'|'busy'|'off'|'error'
---@field reason string a short word, '' if nothing was refused
---@field message string a sentence, '' if there is nothing to say
---@field model? string

---@type dcomplete.Status
M.last = { kind = 'off', reason = '', message = 'The server has not been started yet.' }

---@param value any
---@return string
local function as_text(value)
  return type(value) == 'string' and value or ''
end

--- Take the parameters of `dcomplete/status`, or a reason found here.
---@param params table
---@param buf? integer|false the buffer that it is about; the current one if nil, none if false
function M.set(params, buf)
  M.last = {
    kind = as_text(params.kind) ~= '' and params.kind or 'ready',
    reason = as_text(params.reason),
    message = as_text(params.message),
    model = as_text(params.model) ~= '' and params.model or M.last.model,
  }
  if buf == nil then
    buf = vim.api.nvim_get_current_buf()
  end
  if buf and vim.api.nvim_buf_is_valid(buf) and vim.bo[buf].buftype == '' then
    vim.b[buf].dcomplete_status = M.last
  end
  vim.api.nvim_exec_autocmds(
    'User',
    { pattern = 'DcompleteStatus', modeline = false, data = M.last }
  )
  vim.cmd.redrawstatus()
end

local subject ---@type integer? the buffer of the last request

---@param buf integer
function M.asked(buf)
  subject = buf
end

--- Take `dcomplete/status`. It does not say which document it is about, and it may come when another
--- buffer is current: it belongs to the one that was asked about.
---@param params table
function M.told(params)
  local wire = require('dcomplete.wire')
  local current = vim.api.nvim_get_current_buf()
  local about = subject and vim.api.nvim_buf_is_valid(subject) and subject or current
  if params.kind == 'ready' then
    for _, client in ipairs(vim.lsp.get_clients({ name = wire.NAME })) do
      for other in pairs(client.attached_buffers) do
        local old = vim.b[other].dcomplete_status
        if other ~= about and old and (old.kind == 'loading' or old.kind == 'busy') then
          vim.b[other].dcomplete_status = nil
        end
      end
    end
  end
  M.set(params, wire.client(about) and about or false)
end

--- A buffer is no longer the server's.
---@param buf integer
function M.forget(buf)
  vim.b[buf].dcomplete_status = nil
end

--- The server has a buffer; it says more when there is more to say.
---@param buf integer
function M.attached(buf)
  local old = vim.b[buf].dcomplete_status or M.last
  if M.last.kind == 'off' or NO_SERVER[old.reason] then
    M.set({ kind = 'ready' }, buf)
  end
end

--- A state found in the editor itself.
---@param buf integer
---@param reason string
---@param message string
function M.refuse(buf, reason, message)
  local old = vim.b[buf].dcomplete_status
  if not old or old.reason ~= reason or old.kind ~= 'off' then
    M.set({ kind = 'off', reason = reason, message = message }, buf)
  end
end

--- For a status line: "dcomplete", with the state or the reason why nothing appears.
---@param buf? integer
---@return string
function M.line(buf)
  buf = buf or vim.api.nvim_get_current_buf()
  local at_work = require('dcomplete.wire').client(buf) ~= nil
  local status = vim.b[buf].dcomplete_status or (at_work and M.last)
  if not status then
    return ''
  end
  if status.reason ~= '' then
    return ('dcomplete: %s'):format(status.reason)
  end
  local words = { ready = 'dcomplete', busy = 'dcomplete...' }
  return words[status.kind] or ('dcomplete: %s'):format(status.kind)
end

--- One or two sentences for a person.
---@param buf? integer
---@return string
function M.sentence(buf)
  local status = vim.b[buf or vim.api.nvim_get_current_buf()].dcomplete_status or M.last
  local kinds = {
    ready = 'dcomplete is ready.',
    busy = 'dcomplete is thinking.',
    loading = 'dcomplete loads its model.',
    off = 'dcomplete is off here.',
    error = 'dcomplete does not work.',
  }
  local reason = status.reason ~= '' and (' (%s)'):format(status.reason) or ''
  local message = status.message ~= '' and (' %s%s'):format(status.message, reason) or ''
  local model = status.model and (' Model: %s.'):format(status.model) or ''
  return (kinds[status.kind] or kinds.ready) .. message .. model
end

return M
