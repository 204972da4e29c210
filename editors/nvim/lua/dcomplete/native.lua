--- The other front end: Neovim 0.12 asks and draws, `vim.lsp.inline_completion`.

local accept = require('dcomplete.accept')
local config = require('dcomplete.config')

local M = {}

--- Whether Neovim draws. False before 0.12, whatever the setting says.
---@return boolean
function M.is_on()
  return config.get().native and vim.lsp.inline_completion ~= nil
end

---@param buf integer
---@return boolean attached
function M.attach(buf)
  if not M.is_on() then
    return false
  end
  vim.lsp.inline_completion.enable(true, { bufnr = buf })
  return true
end

--- Insert a part of an item at the cursor.
---@param item table a `vim.lsp.inline_completion.Item`
---@param amount dcomplete.Amount
local function insert_part(item, amount)
  local whole = item.insert_text
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local typed = ''
  if item.range then
    local first_row, first_col = item.range:to_extmark()
    typed = table.concat(vim.api.nvim_buf_get_text(0, first_row, first_col, row - 1, col, {}), '\n')
  end
  if type(whole) ~= 'string' or not vim.startswith(whole, typed) then
    return
  end
  local piece = accept.take[amount](whole:sub(#typed + 1))
  local lines = vim.split(piece, '\n', { plain = true })
  vim.api.nvim_buf_set_text(0, row - 1, col, row - 1, col, lines)
  local column = #lines[#lines] + (#lines == 1 and col or 0)
  vim.api.nvim_win_set_cursor(0, { row + #lines - 1, column })
end

---@param amount dcomplete.Amount
---@return boolean done
function M.accept(amount)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      accept.break_undo()
      if amount == 'all' then
        return item
      end
      insert_part(item, amount)
    end,
  })
end

---@param step integer
function M.cycle(step)
  vim.lsp.inline_completion.select({ count = step })
end

--- Neovim has no call for it: switching off and on again hides what is shown.
function M.dismiss()
  local filter = { bufnr = vim.api.nvim_get_current_buf() }
  vim.lsp.inline_completion.enable(false, filter)
  vim.lsp.inline_completion.enable(true, filter)
end

return M
