--- Completion menus: Neovim's own, and those of nvim-cmp and blink.cmp where they are loaded.

local M = {}

---@class dcomplete.Selected
---@field start integer byte column where the selected item begins
---@field word string

--- Bytes at the end of `before` that begin `word`, whatever their case.
---@param before string
---@param word string
---@return integer
local function begun(before, word)
  for length = math.min(#before, #word), 1, -1 do
    if before:sub(-length):lower() == word:sub(1, length):lower() then
      return length
    end
  end
  return 0
end

--- The item selected in Neovim's own menu.
---@param place dcomplete.Place
---@return dcomplete.Selected?
function M.selected(place)
  if vim.fn.pumvisible() == 0 then
    return nil
  end
  local info = vim.fn.complete_info({ 'selected', 'items' })
  local item = info.selected >= 0 and info.items[info.selected + 1]
  local word = item and item.word
  if not word or word == '' then
    return nil
  end
  return { start = place.col - begun(place.line:sub(1, place.col), word), word = word }
end

--- Whether a completion menu of any kind is open.
---@return boolean
function M.visible()
  if vim.fn.pumvisible() == 1 then
    return true
  end
  local blink = package.loaded['blink.cmp']
  if blink and blink.is_menu_visible and blink.is_menu_visible() then
    return true
  end
  local cmp = package.loaded['cmp']
  return cmp ~= nil and cmp.visible ~= nil and cmp.visible() == true
end

local listening = {} ---@type table<string, true> menus whose opening and closing is heard

--- Call back when a menu of nvim-cmp or blink.cmp opens or closes, which changes no text. May be called
--- again: either may be loaded later than this.
---@param changed fun()
function M.listen(changed)
  local function soon()
    vim.schedule(changed) -- the menu may say so a moment before it is so
  end
  if not listening.blink then
    listening.blink = true
    vim.api.nvim_create_autocmd('User', {
      group = vim.api.nvim_create_augroup('dcomplete.menu', {}),
      pattern = { 'BlinkCmpMenuOpen', 'BlinkCmpMenuClose' },
      callback = soon,
    })
  end
  local cmp = package.loaded['cmp']
  if not listening.cmp and cmp and cmp.event and cmp.event.on then
    listening.cmp = true
    cmp.event:on('menu_opened', soon)
    cmp.event:on('menu_closed', soon)
  end
end

return M
