--- Pure functions on text: columns in the server's encoding, words, and how a text fits into another.

local M = {}

local modern = vim.fn.has('nvim-0.11') == 1

--- A column of the protocol as a byte column; columns past the end are clamped to it.
---@param line string
---@param character integer
---@param encoding string 'utf-8', 'utf-16' or 'utf-32'
---@return integer byte from 0
function M.to_byte(line, character, encoding)
  if encoding == 'utf-8' then
    return math.min(character, #line)
  end
  if modern then
    return vim.str_byteindex(line, encoding, character, false)
  end
  local ok, byte = pcall(vim.str_byteindex, line, character, encoding == 'utf-16')
  return ok and byte or #line
end

--- A byte column as a column of the protocol.
---@param line string
---@param byte integer from 0
---@param encoding string
---@return integer
function M.to_units(line, byte, encoding)
  byte = math.min(byte, #line)
  if encoding == 'utf-8' then
    return byte
  end
  if modern then
    return vim.str_utfindex(line, encoding, byte, false)
  end
  local utf32, utf16 = vim.str_utfindex(line, byte)
  return encoding == 'utf-16' and utf16 or utf32
end

---@param text string
---@return string[]
local function characters(text)
  return vim.fn.split(text, '\\zs')
end

--- Where the characters of `kept` occur in `text`, in order, found from the right: what an editor
--- closed by itself belongs to the last bracket of that kind.
---@param text string
---@param kept string
---@return integer[]? bytes offset in `text` of every character of `kept`, from 0; nil if it does not fit
function M.align(text, kept)
  if kept == '' then
    return {}
  end
  local all, wanted = characters(text), characters(kept)
  local offset, found, next_wanted = #text, {}, #wanted
  for i = #all, 1, -1 do
    offset = offset - #all[i]
    if next_wanted > 0 and all[i] == wanted[next_wanted] then
      table.insert(found, 1, offset)
      next_wanted = next_wanted - 1
    end
  end
  return next_wanted == 0 and found or nil
end

--- Bytes of `kept` that `piece`, the first part of `text`, already brings along.
---@param text string
---@param kept string
---@param piece string
---@return integer
function M.covered(text, kept, piece)
  if piece == text then
    return #kept
  end
  local bytes = 0
  for i, offset in ipairs(M.align(text, kept) or {}) do
    if offset < #piece then
      bytes = bytes + #characters(kept)[i]
    end
  end
  return bytes
end

--- The first word of a text, with the blank before it, line breaks included.
---@param text string
---@return string
function M.word(text)
  local word = vim.fn.matchstr(text, [[^\_s*\%(\k\+\|\%(\k\@!\_s\@!.\)\+\)]])
  return word ~= '' and word or text
end

--- The first line of a text; with the line break before it if the text begins with one.
---@param text string
---@return string
function M.line(text)
  return text:match('^\n*[^\n]*')
end

--- What a suggestion looks like on screen: tabs as blanks, control characters as carets.
---@param text string one line
---@param column integer display column it begins at
---@param tabstop integer
---@return string
function M.display(text, column, tabstop)
  local shown = {}
  for _, char in ipairs(characters(text)) do
    if char == '\t' then
      char = (' '):rep(tabstop - column % tabstop)
    elseif char:match('^%c$') then
      char = vim.fn.strtrans(char)
    end
    column = column + vim.fn.strdisplaywidth(char)
    table.insert(shown, char)
  end
  return table.concat(shown)
end

--- Line ends of every kind as `\n`.
---@param text string
---@return string
function M.unix(text)
  return (text:gsub('\r\n', '\n'):gsub('\r', '\n'))
end

return M
