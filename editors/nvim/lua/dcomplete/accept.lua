--- Accepting: the whole suggestion, its next word, or its next line.

local candidate = require('dcomplete.candidate')
local screen = require('dcomplete.screen')
local suggest = require('dcomplete.suggest')
local text = require('dcomplete.text')
local wire = require('dcomplete.wire')

local M = {}

---@alias dcomplete.Amount 'all'|'word'|'line'

---@type table<dcomplete.Amount, fun(rest: string): string>
M.take = {
  all = function(rest)
    return rest
  end,
  word = text.word,
  line = text.line,
}

--- Begin a new step of undo: before and after what is accepted, so that one `u` takes that back, and
--- neither what was typed before it nor what is typed on.
local function break_undo()
  -- Setting 'undolevels', even to its own value, does it: |undo-break|.
  vim.bo.undolevels = vim.bo.undolevels
end

--- Insert the first part of a suggestion at the cursor, in place of what it brings along itself, and
--- go behind what was inserted.
---@param view dcomplete.View
---@param piece string
function M.insert(view, piece)
  local lines = vim.split(piece, '\n', { plain = true })
  local row, col = view.row, view.col
  local replaced = text.covered(view.rest, view.tail, piece)
  break_undo()
  vim.api.nvim_buf_set_text(0, row, col, row, col + replaced, lines)
  local column = #lines[#lines] + (#lines == 1 and col or 0)
  vim.api.nvim_win_set_cursor(0, { row + #lines, column })
  break_undo()
end

--- Tell the server, and whoever listens here, what was accepted: all that was left, or a part of it.
---@param current dcomplete.Candidate
---@param view dcomplete.View
---@param piece string
---@param amount dcomplete.Amount
function M.tell(current, view, piece, amount)
  local buf = vim.api.nvim_get_current_buf()
  if piece == view.rest then
    wire.execute(current.client, current.item.command, buf)
  else
    local left = vim.tbl_extend('force', view, { rest = view.rest:sub(#piece + 1) })
    wire.notify(current.client, 'textDocument/didPartiallyAcceptCompletion', {
      item = current.item,
      acceptedLength = candidate.accepted_units(current, left),
    })
  end
  vim.api.nvim_exec_autocmds('User', {
    pattern = 'DcompleteAccepted',
    modeline = false,
    data = { text = piece, amount = amount },
  })
end

---@param amount dcomplete.Amount
local function apply(amount)
  local current, view = screen.current()
  if not current or not view then
    return
  end
  local piece = M.take[amount](view.rest)
  M.insert(view, piece)
  if piece == view.rest then
    suggest.hide()
  else
    screen.refresh()
  end
  M.tell(current, view, piece, amount)
end

--- Accept in Insert mode. An open completion menu is closed first, with what it has inserted.
---@param amount dcomplete.Amount
---@return boolean done false if there is no suggestion, or it no longer fits the text
function M.run(amount)
  if not screen.current() then
    return false
  end
  if vim.fn.pumvisible() == 1 then
    M._amount = amount
    local keys = '<C-x><C-z><Cmd>lua require("dcomplete.accept")._finish()<CR>'
    vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'n', false)
  else
    apply(amount)
  end
  return true
end

--- The second half of accepting while a menu was open.
function M._finish()
  apply(M._amount)
end

return M
