--- Ghost text: extmarks in one namespace, redrawn as a whole.

local text = require('dcomplete.text')

local M = {}

M.namespace = vim.api.nvim_create_namespace('dcomplete.ghost')

---@alias dcomplete.Chunk [string, string] a text and its highlight group

---@param name string
---@return boolean
local function exists(name)
  return vim.fn.hlexists(name) == 1
end

--- Highlight groups, linked so that a colour scheme can set them.
function M.define_highlights()
  local ghost = exists('ComplHint') and 'ComplHint' or 'Comment'
  local links = {
    DcompleteGhost = ghost,
    DcompleteHint = exists('ComplHintMore') and 'ComplHintMore' or ghost,
    DcompleteMask = 'NonText',
    DcompleteNew = 'DiffText',
    DcompleteMoved = 'Normal',
  }
  for name, link in pairs(links) do
    vim.api.nvim_set_hl(0, name, { link = link, default = true })
  end
  vim.api.nvim_set_hl(0, 'DcompleteReplaced', { strikethrough = true, default = true })
end

---@param buf integer
function M.clear(buf)
  if vim.api.nvim_buf_is_valid(buf) then
    vim.api.nvim_buf_clear_namespace(buf, M.namespace, 0, -1)
  end
end

---@param buf integer
---@param row integer
---@param col integer
---@param chunks dcomplete.Chunk[]
---@param more? table further options of the extmark
local function mark(buf, row, col, chunks, more)
  local options = vim.tbl_extend('force', {
    virt_text = #chunks > 0 and chunks or nil,
    virt_text_pos = 'inline',
    hl_mode = 'combine',
    right_gravity = true,
    undo_restore = false,
    strict = false,
  }, more or {})
  vim.api.nvim_buf_set_extmark(buf, M.namespace, row, col, options)
end

--- Text between the characters that stand behind the cursor already.
---@param buf integer
---@param view dcomplete.View
---@param shown string the first line of the suggestion
---@param places integer[] where the tail's characters are in `shown`
---@return integer col where the last piece was drawn or belongs
---@return string piece the last piece
local function draw_pieces(buf, view, shown, places)
  local from, col = 0, view.col
  local kept = vim.fn.split(view.tail, '\\zs')
  for i, place in ipairs(places) do
    local piece = shown:sub(from + 1, place)
    if piece ~= '' then
      mark(buf, view.row, col, { { piece, 'DcompleteGhost' } })
    end
    from, col = place + #kept[i], col + #kept[i]
  end
  return col, shown:sub(from + 1)
end

--- The lines below the cursor's.
---@param lines string[] all lines of the suggestion, as displayed
---@return dcomplete.Chunk[][]
local function lines_below(lines)
  local below = {}
  for i = 2, #lines do
    below[#below + 1] = { { lines[i], 'DcompleteGhost' } }
  end
  return below
end

---@param buf integer
---@param view dcomplete.View
---@return string[]
local function displayed(buf, view)
  local lines = vim.split(view.rest, '\n', { plain = true })
  local line = vim.api.nvim_buf_get_lines(buf, view.row, view.row + 1, false)[1] or ''
  local column = vim.fn.strdisplaywidth(line:sub(1, view.col))
  for i, one in ipairs(lines) do
    if one:find('%c') then
      lines[i] = text.display(one, i == 1 and column or 0, vim.bo[buf].tabstop)
    end
  end
  return lines
end

--- Draw what accepting would give. What it moves to another line is drawn there too.
---@param buf integer
---@param view dcomplete.View
---@param hint? string such as "2/3"
function M.draw(buf, view, hint)
  M.clear(buf)
  local lines = displayed(buf, view)
  local below = lines_below(lines)
  local places = (#lines == 1 or view.after == '') and text.align(lines[1], view.tail) or nil
  local first = { lines[1], 'DcompleteGhost' }
  local moved = #lines > 1 and (view.after ~= '' or not places)
  if #lines > 1 and moved and view.after ~= '' then
    table.insert(below[#below], { view.after, 'DcompleteMoved' })
  end
  local last = #lines > 1 and below[#below] or { first }
  if hint then
    table.insert(last, { ' ' .. hint, 'DcompleteHint' })
  end
  if moved then
    local behind = vim.fn.strdisplaywidth(view.tail .. view.after)
    first[1] = first[1] .. (' '):rep(behind - vim.fn.strdisplaywidth(first[1]))
    local options = { virt_lines = below, virt_text_pos = 'overlay', hl_mode = 'replace' }
    mark(buf, view.row, view.col, { first }, options)
    return
  end
  local col = view.col
  if places then
    col, first[1] = draw_pieces(buf, view, lines[1], places)
  else
    mark(buf, view.row, col, {}, { end_col = col + #view.tail, hl_group = 'DcompleteReplaced' })
  end
  local chunks = #lines == 1 and last or { first }
  if chunks[1][1] == '' then
    table.remove(chunks, 1)
  end
  mark(buf, view.row, col, chunks, { virt_lines = #below > 0 and below or nil })
end

--- Draw lines of chunks at a place, the first one inline: the steps of denoising.
---@param buf integer
---@param row integer
---@param col integer
---@param lines dcomplete.Chunk[][]
function M.draw_chunks(buf, row, col, lines)
  M.clear(buf)
  local below = vim.list_slice(lines, 2)
  mark(buf, row, col, lines[1] or {}, { virt_lines = #below > 0 and below or nil })
end

return M
