--- A suggestion as it fits the text now. It is kept as the whole text from the beginning of its first
--- line, so that typing it, deleting back and accepting a part need no new answer.

local text = require('dcomplete.text')

local M = {}

---@class dcomplete.Place
---@field row integer from 0
---@field col integer byte, from 0
---@field line string

---@class dcomplete.Candidate
---@field item table the item as the server sent it
---@field client vim.lsp.Client
---@field row integer where its first line is
---@field lead integer bytes of `full` before the item's own text
---@field full string from column 0 of the first line, line ends as \n
---@field tail string what it replaces behind the cursor
---@field after string what stays behind that on the line
---@field reported boolean the server knows that it was on screen

---@class dcomplete.View
---@field row integer
---@field col integer byte column of the cursor
---@field rest string what is still to be inserted
---@field tail string what is replaced behind the cursor
---@field after string what stays behind that on the line

local MOST_CLOSED = 8 -- characters that an editor closes by itself at once: brackets, quotes, tags' ends

--- The place of the cursor.
---@return dcomplete.Place
function M.place()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  return { row = row - 1, col = col, line = vim.api.nvim_get_current_line() }
end

--- The id by which the server knows an item: the argument of its command.
---@param item table
---@return string?
function M.id(item)
  local arguments = type(item.command) == 'table' and item.command.arguments
  return type(arguments) == 'table' and arguments[1] or nil
end

--- An item of the server, for a place as it was when the server was asked.
---@param item any
---@param client vim.lsp.Client
---@param place dcomplete.Place
---@return dcomplete.Candidate? candidate nil if the item does not fit the place
function M.new(item, client, place)
  if type(item) ~= 'table' or type(item.insertText) ~= 'string' then
    return nil
  end
  local first, last = place.col, place.col
  if type(item.range) == 'table' then
    local head, tail = item.range.start, item.range['end']
    if head.line ~= place.row or tail.line ~= place.row then
      return nil
    end
    first = text.to_byte(place.line, head.character, client.offset_encoding)
    last = text.to_byte(place.line, tail.character, client.offset_encoding)
  end
  local inserted = text.unix(item.insertText)
  local before = place.line:sub(first + 1, place.col)
  if first > place.col or last < place.col or not vim.startswith(inserted, before) then
    return nil
  end
  return {
    item = item,
    client = client,
    row = place.row,
    lead = first,
    full = place.line:sub(1, first) .. inserted,
    tail = place.line:sub(place.col + 1, last),
    after = place.line:sub(last + 1),
    reported = false,
  }
end

--- What stands behind the cursor and belongs to the suggestion: what is left of its tail, and
--- brackets or quotes that the editor has closed since.
---@param candidate dcomplete.Candidate
---@param behind string
---@param rest string
---@return string? tail nil if the text behind the cursor has changed otherwise
local function tail_now(candidate, behind, rest)
  if not vim.endswith(behind, candidate.after) then
    return nil
  end
  local tail = behind:sub(1, #behind - #candidate.after)
  if vim.endswith(candidate.tail, tail) then
    return tail
  end
  local closed = vim.endswith(tail, candidate.tail) and tail:sub(1, #tail - #candidate.tail)
  if
    closed
    and #closed <= MOST_CLOSED
    and closed:match('^[%)%]}>"\'`]+$')
    and text.align(rest, tail)
  then
    return tail
  end
end

--- Whether a line break that was typed has given closers a line of their own: what is to be replaced, or
--- what the editor has closed since and the suggestion ends with.
---@param candidate dcomplete.Candidate
---@param place dcomplete.Place
---@param rest string
---@param tail string
---@return boolean
local function parted(candidate, place, rest, tail)
  if not vim.endswith(tail, candidate.tail) then
    return true
  end
  local last = rest:match('\n(%s*[%)%]}]+)$')
  local below = vim.api.nvim_buf_get_lines(0, place.row + 1, place.row + 2, false)[1]
  return last ~= nil and last == below
end

--- How a candidate fits the text at the cursor now.
---@param candidate dcomplete.Candidate
---@param place dcomplete.Place
---@param selected? dcomplete.Selected the selected item of a completion menu
---@return dcomplete.View? view nil if it does not fit, or nothing is left of it
function M.fit(candidate, place, selected)
  if place.row < candidate.row then
    return nil
  end
  local lines = vim.api.nvim_buf_get_lines(0, candidate.row, place.row, false)
  table.insert(lines, place.line:sub(1, place.col))
  local typed = table.concat(lines, '\n')
  if not vim.startswith(candidate.full, typed) then
    return nil
  end
  if selected then
    local wanted = typed:sub(1, #typed - place.col + selected.start) .. selected.word
    if not vim.startswith(candidate.full, wanted) then
      return nil
    end
  end
  local rest = candidate.full:sub(#typed + 1)
  local tail = tail_now(candidate, place.line:sub(place.col + 1), rest)
  if not tail or (rest == '' and tail == '') then
    return nil
  end
  if place.row > candidate.row and parted(candidate, place, rest, tail) then
    return nil -- the server knows what is left
  end
  return { row = place.row, col = place.col, rest = rest, tail = tail, after = candidate.after }
end

--- UTF-16 units of the item's text that stand in the buffer when the cursor is at `place`.
---@param candidate dcomplete.Candidate
---@param view dcomplete.View how it fits there
---@return integer
function M.accepted_units(candidate, view)
  local typed = candidate.full:sub(candidate.lead + 1, #candidate.full - #view.rest)
  if candidate.item.insertText:find('\r\n', 1, true) then
    typed = typed:gsub('\n', '\r\n')
  end
  return text.to_units(typed, #typed, 'utf-16')
end

return M
