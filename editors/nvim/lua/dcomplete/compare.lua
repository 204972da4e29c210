--- `:Dcomplete compare`: two suggestions without names, and a vote. Names are told afterwards only.

local config = require('dcomplete.config')
local screen = require('dcomplete.screen')
local status = require('dcomplete.status')
local suggest = require('dcomplete.suggest')
local wire = require('dcomplete.wire')

local M = {}

M.CHOICES = { 'first', 'second', 'tie', 'neither' }
local KEYS = { ['1'] = 'first', ['2'] = 'second', ['0'] = 'tie', ['-'] = 'neither' }
local FOOTER = ' 1 first   2 second   0 tie   - neither   q close '
local MOST_LINES = 12

---@class dcomplete.Comparison
---@field id string
---@field client vim.lsp.Client
---@field buf integer
---@field win integer the window of the text
---@field float integer
---@field place dcomplete.Place
---@field sides (dcomplete.Candidate|false)[]

local open ---@type dcomplete.Comparison?

--- The lines of one side.
---@param side dcomplete.Candidate|false
---@return string[]
local function lines_of(side)
  if not side then
    return { '  (nothing to suggest)' }
  end
  local lines = vim.split(side.full, '\n', { plain = true })
  local cut = vim.list_slice(lines, 1, MOST_LINES)
  if #cut < #lines then
    table.insert(cut, ('... %d more lines'):format(#lines - #cut))
  end
  return cut
end

---@param comparison dcomplete.Comparison
---@return integer buf a scratch buffer with both sides
---@return integer width
local function render(comparison)
  local lines, titles = {}, {}
  for i, name in ipairs({ 'First', 'Second' }) do
    titles[#titles + 1] = #lines
    table.insert(lines, ' ' .. name)
    vim.list_extend(lines, lines_of(comparison.sides[i]))
    table.insert(lines, '')
  end
  table.remove(lines)
  local scratch = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(scratch, 0, -1, false, lines)
  vim.bo[scratch].modifiable = false
  vim.bo[scratch].bufhidden = 'wipe'
  vim.bo[scratch].syntax = vim.bo[comparison.buf].filetype
  local namespace = vim.api.nvim_create_namespace('dcomplete.compare')
  for _, row in ipairs(titles) do
    vim.api.nvim_buf_set_extmark(scratch, namespace, row, 0, { line_hl_group = 'Title' })
  end
  local width = #FOOTER
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line) + 1)
  end
  return scratch, math.min(width, vim.o.columns - 4)
end

--- Close the window, and go back to where the comparison was asked for.
function M.close()
  local comparison = open
  open = nil
  if not comparison then
    return
  end
  if vim.api.nvim_win_is_valid(comparison.float) then
    vim.api.nvim_win_close(comparison.float, true)
  end
  if vim.api.nvim_win_is_valid(comparison.win) then
    vim.api.nvim_set_current_win(comparison.win)
    local place = comparison.place
    pcall(vim.api.nvim_win_set_cursor, comparison.win, { place.row + 1, place.col })
    vim.cmd(place.col >= #place.line and 'startinsert!' or 'startinsert')
  end
end

---@param comparison dcomplete.Comparison
local function display(comparison)
  if open and vim.api.nvim_win_is_valid(open.float) then
    vim.api.nvim_win_close(open.float, true) -- one at a time; its keys would do nothing any more
  end
  local scratch, width = render(comparison)
  vim.cmd.stopinsert()
  comparison.float = vim.api.nvim_open_win(scratch, true, {
    relative = 'cursor',
    row = 1,
    col = 0,
    width = width,
    height = math.min(vim.api.nvim_buf_line_count(scratch), vim.o.lines - 4),
    style = 'minimal',
    border = 'rounded',
    title = ' Which is better? ',
    footer = FOOTER,
  })
  open = comparison
  for key, choice in pairs(KEYS) do
    vim.keymap.set('n', key, function()
      M.vote(choice)
    end, { buffer = scratch, nowait = true, desc = 'dcomplete: vote ' .. choice })
  end
  for _, key in ipairs({ 'q', '<Esc>' }) do
    vim.keymap.set(
      'n',
      key,
      M.close,
      { buffer = scratch, nowait = true, desc = 'dcomplete: close' }
    )
  end
end

---@param contestant dcomplete.Contestant
---@return string
local function name_of(contestant)
  local names = {}
  for _, key in ipairs({ 'model', 'policy' }) do
    if contestant[key] and contestant[key] ~= '' then
      table.insert(names, contestant[key])
    end
  end
  return #names > 0 and table.concat(names, ', ') or 'as set'
end

--- Vote on the comparison that is open. The one that was chosen becomes the suggestion on screen.
---@param choice 'first'|'second'|'tie'|'neither'
---@return boolean done false if there is nothing to vote on
function M.vote(choice)
  local comparison = open
  if not comparison then
    return false
  end
  M.close()
  local params = { id = comparison.id, choice = choice }
  wire.request(comparison.client, 'dcomplete/vote', params, function(err, names)
    if err then
      return vim.notify('dcomplete: ' .. err.message, vim.log.levels.WARN)
    end
    local sentence = 'dcomplete: you chose %s. First was %s; second was %s.'
    vim.notify(sentence:format(choice, name_of(names.first), name_of(names.second)))
  end, comparison.buf)
  local chosen = ({ first = comparison.sides[1], second = comparison.sides[2] })[choice]
  if chosen then
    vim.defer_fn(function() -- Insert mode begins once this function has returned
      screen.show(comparison.buf, { chosen })
    end, 20)
  end
  return true
end

--- Ask for two suggestions at the cursor in Insert mode and show them.
---@param contestants? dcomplete.Contestant[]
---@return boolean sent
function M.run(contestants)
  local buf, win = vim.api.nvim_get_current_buf(), vim.api.nvim_get_current_win()
  suggest.hide()
  return suggest.send('dcomplete/compare', function(client, place)
    local params = wire.params(client, buf, place, true)
    params.contestants = contestants or config.get().compare
    return params
  end, function(client, place, err, result)
    if err or type(result) ~= 'table' then
      return vim.notify('dcomplete: ' .. (err and err.message or status.sentence(buf)))
    end
    local sides = {}
    for i = 1, 2 do
      local found = suggest.candidates(client, place, { result.items[i] }) or {}
      sides[i] = found[1] or false
    end
    if not sides[1] and not sides[2] then
      return vim.notify('dcomplete: neither has anything to suggest here.')
    end
    display({
      id = result.id,
      client = client,
      buf = buf,
      win = win,
      place = place,
      sides = sides,
      float = -1,
    })
  end, true)
end

return M
