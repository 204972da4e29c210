--- Asking for suggestions: when, what of, and what becomes of the answer. The latest request wins.

local candidate = require('dcomplete.candidate')
local config = require('dcomplete.config')
local menu = require('dcomplete.menu')
local screen = require('dcomplete.screen')
local status = require('dcomplete.status')
local wire = require('dcomplete.wire')

local M = {}

local METHOD = 'textDocument/inlineCompletion'

local pending ---@type dcomplete.Pending?
local number = 0 -- of the last request
local exact = false -- whether the pending answer is worth nothing once the text has changed
local complete = false -- whether alternatives to what is shown were asked for
local asked ---@type string? the moment of the last request, so that none is sent twice
local debounce = assert(vim.uv.new_timer())

--- Give up the last request. A view of its denoising would go on over what is shown next.
local function cancel()
  debounce:stop()
  number = number + 1
  local watch = package.loaded['dcomplete.watch']
  if watch then
    watch.stop()
  end
  if pending then
    wire.cancel(pending)
    pending = nil
  end
end

--- Everything that an answer depends on, as one text.
---@return string
local function moment()
  local buf, place = vim.api.nvim_get_current_buf(), candidate.place()
  local selected = menu.selected(place)
  local parts = { buf, vim.api.nvim_buf_get_changedtick(buf), place.row, place.col }
  return table.concat(parts, ' ') .. (selected and selected.word or '')
end

--- Take everything off the screen and stop what is on its way.
function M.hide()
  cancel()
  screen.clear()
  asked = nil
end

--- Whether `b:dcomplete_disable` says so. For who sets it in Vim script, 0 is false.
---@param buf integer
---@return boolean
local function disabled_here(buf)
  local value = vim.b[buf].dcomplete_disable
  return value ~= nil and value ~= false and value ~= 0
end

--- Why nothing can appear in a buffer, for reasons that the editor knows.
---@param buf integer
---@return string? reason
---@return string? message
function M.obstacle(buf)
  local options = vim.bo[buf]
  if not config.get().enabled then
    return 'disabled', 'Switched off; ":Dcomplete enable" switches it on.'
  elseif disabled_here(buf) then
    return 'disabled', 'Switched off in this buffer; ":Dcomplete enable buffer" switches it on.'
  elseif options.buftype ~= '' and options.buftype ~= 'acwrite' then
    return 'no-file', 'This buffer holds no file.'
  elseif options.readonly or not options.modifiable then
    return 'read-only', 'This buffer is read-only.'
  elseif vim.fn.reg_recording() ~= '' or vim.fn.reg_executing() ~= '' then
    return 'macro', 'A macro is being recorded or run.'
  end
end

--- Send a request about the cursor's place. What was on its way is cancelled; an answer that comes
--- after Insert mode ended, or from an overtaken request, is dropped.
---@param method string
---@param params fun(client: vim.lsp.Client, place: dcomplete.Place): table
---@param handler fun(client: vim.lsp.Client, place: dcomplete.Place, err: lsp.ResponseError?, result: any)
---@param only_here? boolean the answer is worth nothing once the text has changed
---@return boolean sent
function M.send(method, params, handler, only_here)
  local buf = vim.api.nvim_get_current_buf()
  local reason, message = M.obstacle(buf)
  if reason then
    M.hide()
    status.refuse(buf, reason, message --[[@as string]])
    return false
  end
  local client = wire.client(buf)
  if not client then
    return false
  end
  cancel()
  complete = false -- until this one's answer says otherwise
  status.asked(buf)
  local own, place = number, candidate.place()
  asked, exact = moment(), only_here == true
  pending = wire.request(client, method, params(client, place), function(err, result)
    if own == number then
      pending = nil
      if screen.is_inserting() and buf == vim.api.nvim_get_current_buf() then
        handler(client, place, err, result)
      end
    end
  end, buf)
  return pending ~= nil
end

--- An answer's items, as they fit the place that was asked about.
---@param client vim.lsp.Client
---@param place dcomplete.Place
---@param result any
---@return dcomplete.Candidate[]? candidates nil if the answer is null: keep what is shown
function M.candidates(client, place, result)
  if type(result) ~= 'table' then
    return nil
  end
  local found = {}
  for _, item in ipairs(result.items or result) do
    table.insert(found, (candidate.new(item, client, place)))
  end
  return found
end

--- Ask the server about the cursor's place.
---@param invoked boolean by the person, not by typing
---@param keep? boolean the answers go behind what is on screen
---@param done? fun() called when they are there
---@return boolean sent
function M.ask(invoked, keep, done)
  local buf = vim.api.nvim_get_current_buf()
  return M.send(METHOD, function(client, place)
    return wire.params(client, buf, place, invoked, menu.selected(place))
  end, function(client, place, err, result)
    if err then
      return status.set({ kind = 'error', message = err.message }, buf)
    end
    local found = M.candidates(client, place, result)
    local visible = found ~= nil and screen.show(buf, found, keep)
    complete = invoked
    if visible and done then
      done()
    elseif not visible and not invoked and asked ~= moment() then
      M.ask(false)
    elseif invoked and not keep and not visible then
      vim.notify(status.sentence(buf), vim.log.levels.INFO)
    end
  end)
end

--- Ask once nothing has been typed for a moment.
local function ask_soon()
  local settings = config.get()
  if (settings.settings.trigger or {}).automatic == false then
    return
  end
  local before = number -- what is asked for by key meanwhile must not be overtaken by this
  debounce:start(
    settings.debounce,
    0,
    vim.schedule_wrap(function()
      local hidden = settings.popup == 'hide' and menu.visible()
      local wanted = before == number and screen.is_inserting() and not hidden
      if wanted and not screen.current() then
        M.ask(false)
      end
    end)
  )
end

--- The text or the cursor's place has changed. What is on screen stays while it fits.
function M.changed()
  if screen.refresh() or not screen.is_inserting() or asked == moment() then
    return
  end
  if exact then
    cancel()
  end
  ask_soon()
end

--- A menu has opened or closed. It hides what is shown if the person wants that; then ask again.
function M.menu_changed()
  if config.get().popup ~= 'hide' then
    return
  end
  if menu.visible() then
    screen.refresh()
  else
    M.again()
  end
end

--- Ask again where nothing came because the model was not loaded yet, or a menu was in the way.
function M.again()
  if not pending then
    asked = nil
    M.changed()
  end
end

--- Hide the suggestion; the server is told that it is not wanted.
---@return boolean done false if there was none
function M.dismiss()
  local current = screen.current()
  M.hide()
  asked = moment()
  if current then
    wire.notify(current.client, 'dcomplete/didDismiss', { id = candidate.id(current.item) })
  end
  return current ~= nil
end

--- Another suggestion for this place; asks for more first if only one was asked for.
---@param step integer 1 or -1
---@return boolean done false if none is on screen
function M.cycle(step)
  if not screen.current() then
    return false
  end
  local function move()
    screen.cycle(step)
  end
  if complete then
    move()
  else
    M.ask(true, true, move)
  end
  return true
end

return M
