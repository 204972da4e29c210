--- What is on screen: the suggestions for one place, the one that is shown, and how it fits the text.

local candidate = require('dcomplete.candidate')
local config = require('dcomplete.config')
local ghost = require('dcomplete.ghost')
local menu = require('dcomplete.menu')
local wire = require('dcomplete.wire')

local M = {}

local SHOWN_MS = 750 -- what Copilot's clients count as shown

local buffer ---@type integer?
local candidates = {} ---@type dcomplete.Candidate[]
local index = 1
local tick = -1 -- changedtick at which `view` was found to fit
local view ---@type dcomplete.View?
local shown = assert(vim.uv.new_timer())

---@return boolean
function M.is_inserting()
  return vim.api.nvim_get_mode().mode:sub(1, 1) == 'i'
end

---@param event string
local function announce(event)
  vim.api.nvim_exec_autocmds('User', { pattern = 'Dcomplete' .. event, modeline = false })
end

--- Take everything off the screen.
function M.clear()
  shown:stop()
  if buffer then
    ghost.clear(buffer)
  end
  candidates, index = {}, 1
  if view then
    view = nil
    announce('Hidden')
  end
end

local function report_shown()
  local current = candidates[index]
  if view and current and not current.reported then
    current.reported = true
    wire.notify(current.client, 'textDocument/didShowCompletion', { item = current.item })
  end
end

--- How the suggestions fit the text as it is now.
---@return table<integer, dcomplete.View> views by index; without those that do not fit
local function views()
  local fitting = {}
  if buffer ~= vim.api.nvim_get_current_buf() or not M.is_inserting() then
    return fitting
  end
  if config.get().popup == 'hide' and menu.visible() then
    return fitting
  end
  local place = candidate.place()
  local selected = menu.selected(place)
  for i, one in ipairs(candidates) do
    fitting[i] = candidate.fit(one, place, selected)
  end
  return fitting
end

--- Which of the suggestions that fit is shown, of how many.
---@param all table<integer, dcomplete.View>
---@return string? hint nil if there is no other
local function hint(all)
  local number, count = 0, 0
  for i = 1, #candidates do
    count = count + (all[i] and 1 or 0)
    number = i == index and count or number
  end
  return count > 1 and ('%d/%d'):format(number, count) or nil
end

---@param all table<integer, dcomplete.View> the one at `index` among them
local function draw(all)
  local fitting = all[index]
  ghost.draw(buffer, fitting, hint(all))
  local is_new = not view
  view, tick = fitting, vim.api.nvim_buf_get_changedtick(buffer)
  if not candidates[index].reported and not shown:is_active() then
    shown:start(SHOWN_MS, 0, vim.schedule_wrap(report_shown))
  end
  if is_new then
    announce('Shown')
  end
end

--- Fit what is shown to the text as it is now, before the screen is drawn again.
---@return boolean visible
function M.refresh()
  if not candidates[index] then
    return false
  end
  local all = views()
  local visible = all[index] ~= nil
  if visible then
    draw(all)
  else
    M.clear()
  end
  return visible
end

--- The suggestion on screen, as it fits the text now.
---@return dcomplete.Candidate? candidate nil if there is none, or it no longer fits
---@return dcomplete.View? view
function M.current()
  if not buffer or not view then
    return nil
  end
  local is_old = vim.api.nvim_get_current_buf() ~= buffer
    or vim.api.nvim_buf_get_changedtick(buffer) ~= tick
    or not vim.deep_equal(vim.api.nvim_win_get_cursor(0), { view.row + 1, view.col })
  if is_old and not M.refresh() then
    return nil
  end
  return candidates[index], view
end

--- Show suggestions, the first one first.
---@param buf integer
---@param found dcomplete.Candidate[]
---@param keep? boolean those on screen stay, and the new ones go behind them
---@return boolean visible
function M.show(buf, found, keep)
  local all, known = {}, {}
  for _, one in ipairs(vim.list_extend(keep and vim.list_slice(candidates) or {}, found)) do
    local key = one.full .. '\0' .. one.tail
    if not known[key] then
      known[key] = true
      table.insert(all, one)
    end
  end
  if #all == 0 or buffer ~= buf then
    M.clear()
  elseif not keep then
    shown:stop()
  end
  buffer, candidates, index = buf, all, keep and index or 1
  return M.refresh()
end

--- Show another of the suggestions: the next that fits what has been typed since.
---@param step integer 1 or -1
function M.cycle(step)
  local all = views()
  for steps = 1, #candidates - 1 do
    local other = (index - 1 + step * steps) % #candidates + 1
    if all[other] then
      shown:stop()
      index = other
      return draw(all)
    end
  end
end

return M
