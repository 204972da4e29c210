--- `:Dcomplete watch`: the gap is seen being filled, step by step, where the suggestion will be.

local config = require('dcomplete.config')
local ghost = require('dcomplete.ghost')
local screen = require('dcomplete.screen')
local status = require('dcomplete.status')
local suggest = require('dcomplete.suggest')
local wire = require('dcomplete.wire')

local M = {}

local MASK = '░░'

---@class dcomplete.Show a running view
---@field token string
---@field buf integer
---@field row integer
---@field col integer
---@field frames table[] rows of cells that were not on screen yet
---@field decided table<integer, string> cells that the last step on screen had decided
---@field answer? fun() shows the finished suggestion

local show ---@type dcomplete.Show?
local count = 0
local timer = assert(vim.uv.new_timer())
local group = vim.api.nvim_create_augroup('dcomplete.watch', {})

--- Stop the view, if one runs.
---@return boolean stopped
function M.stop()
  local ran = show ~= nil
  timer:stop()
  vim.api.nvim_clear_autocmds({ group = group })
  if show then
    ghost.clear(show.buf)
    show = nil
  end
  return ran
end

--- Stop the view at the first key that changes anything.
local function guard()
  local tick, cursor = vim.b.changedtick, vim.api.nvim_win_get_cursor(0)
  vim.api.nvim_create_autocmd(
    { 'TextChangedI', 'TextChangedP', 'CursorMovedI', 'InsertLeave', 'BufLeave' },
    {
      group = group,
      callback = function(args)
        local same = tick == vim.b.changedtick
          and vim.deep_equal(cursor, vim.api.nvim_win_get_cursor(0))
        if not same or args.event == 'InsertLeave' or args.event == 'BufLeave' then
          M.stop()
        end
      end,
    }
  )
end

--- A row of cells as lines of chunks; what this step decided is set apart.
---@param cells table[] `{text: string|nil, pinned: boolean}`
---@param decided table<integer, string> changed to this row's
---@return dcomplete.Chunk[][]
local function lines_of(cells, decided)
  local lines = { {} }
  for i, cell in ipairs(cells) do
    local text = type(cell.text) == 'string' and cell.text or nil
    local highlight = not text and 'DcompleteMask'
      or decided[i] == text and 'DcompleteGhost'
      or 'DcompleteNew'
    decided[i] = text
    for n, part in ipairs(vim.split(text or MASK, '\n', { plain = true })) do
      if n > 1 then
        table.insert(lines, {})
      end
      if part ~= '' then
        table.insert(lines[#lines], { (part:gsub('\t', '    ')), highlight })
      end
    end
  end
  return lines
end

local function next_frame()
  if not show then
    return
  end
  local frame = table.remove(show.frames, 1)
  if frame then
    ghost.draw_chunks(show.buf, show.row, show.col, lines_of(frame, show.decided))
    return
  end
  local answer = show.answer
  if answer then
    M.stop()
    answer()
  end
end

--- Take the parameters of `$/progress`.
---@param params any
---@return boolean ours whether they belong to a denoise view
function M.progress(params)
  local token, value = params.token, params.value
  if type(token) ~= 'string' or not vim.startswith(token, 'dcomplete-watch-') then
    return false
  end
  if show and token == show.token and type(value.rows) == 'table' and value.rows[1] then
    table.insert(show.frames, value.rows[1]) -- the first row; others are candidates of other lengths
  end
  return true
end

--- Show the denoising at the cursor in Insert mode, then the suggestion.
---@return boolean started
function M.run()
  local buf = vim.api.nvim_get_current_buf()
  M.stop()
  suggest.hide()
  count = count + 1
  local token = ('dcomplete-watch-%d'):format(count)
  return suggest.send('dcomplete/watch', function(client, place)
    show = { token = token, buf = buf, row = place.row, col = place.col, frames = {}, decided = {} }
    guard()
    local pace = config.get().step_ms
    timer:start(0, math.max(pace, 1), vim.schedule_wrap(next_frame))
    local params = wire.params(client, buf, place, true)
    params.partialResultToken = token
    return params
  end, function(client, place, err, result)
    if not show or show.token ~= token then
      return
    end
    local found = not err and suggest.candidates(client, place, result) or {}
    show.answer = function()
      if not screen.show(buf, found) then
        vim.notify(err and err.message or status.sentence(buf), vim.log.levels.INFO)
      end
    end
  end, true)
end

return M
