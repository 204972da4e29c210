--- The other front end: Neovim 0.12 asks and draws, `vim.lsp.inline_completion`.

local accept = require('dcomplete.accept')
local candidate = require('dcomplete.candidate')
local config = require('dcomplete.config')
local status = require('dcomplete.status')
local suggest = require('dcomplete.suggest')
local wire = require('dcomplete.wire')

local M = {}

local off = {} ---@type table<integer, true> buffers where Neovim was told not to ask

--- Whether Neovim draws. False before 0.12, whatever the setting says.
---@return boolean
function M.is_on()
  return config.get().native and vim.lsp.inline_completion ~= nil
end

--- Let Neovim ask in a buffer, or not, for this server only: others may suggest there, too.
---@param buf integer
---@param enabled boolean
local function enable(buf, enabled)
  local client = wire.client(buf)
  if client then
    vim.lsp.inline_completion.enable(enabled, { bufnr = buf, client_id = client.id })
  end
end

--- Where the plug-in draws, Neovim must not do so as well, which it does for who has switched it on
--- for all servers. It attaches them around `LspAttach`, so this comes after it.
---@param buf integer
local function leave_to_plugin(buf)
  vim.schedule(function()
    if vim.api.nvim_buf_is_valid(buf) and not M.is_on() then
      enable(buf, false)
    end
  end)
end

--- Switch off where nothing may be suggested, and on again where it may. Neovim knows of no reasons.
---@param buf integer
function M.follow(buf)
  local reason, message = suggest.obstacle(buf)
  if reason then
    off[buf] = true
    enable(buf, false)
    status.refuse(buf, reason, message --[[@as string]])
  elseif off[buf] then
    off[buf] = nil
    enable(buf, false) -- what is on for another buffer already would not be switched on here
    enable(buf, true)
    status.set({ kind = 'ready' }, buf)
  end
end

---@param buf integer
---@return boolean attached
function M.attach(buf)
  if not M.is_on() then
    if vim.lsp.inline_completion then
      leave_to_plugin(buf)
    end
    return false
  end
  vim.lsp.inline_completion.enable(true, { bufnr = buf })
  enable(buf, true)
  M.follow(buf)
  return true
end

--- An item as the server sent it, whose range now ends behind what was typed since.
---@param item table a `vim.lsp.inline_completion.Item`
---@param client vim.lsp.Client
---@param place dcomplete.Place
---@return table
local function raw(item, client, place)
  local range = item.range and item.range:to_lsp(client.offset_encoding)
  if range then
    local here = wire.position(client, place, place.col)
    range['end'].character = math.max(range['end'].character, here.character)
  end
  return { insertText = item.insert_text, range = range, command = item.command }
end

--- Insert an item, or a part of it, at the cursor. Neovim would insert a whole one itself, but keys
--- could come before the end of that step of undo: what runs later waits for those already there.
---@param item table a `vim.lsp.inline_completion.Item`
---@param amount dcomplete.Amount
---@return table? item if it is Neovim's to insert: a snippet, or where it no longer fits
local function insert(item, amount)
  local client, place = vim.lsp.get_client_by_id(item.client_id), candidate.place()
  local current = client and candidate.new(raw(item, client, place), client, place)
  local view = current and candidate.fit(current, place)
  if not current or not view then
    return amount == 'all' and item or nil
  end
  local piece = accept.take[amount](view.rest)
  accept.insert(view, piece)
  accept.tell(current, view, piece, amount)
end

---@param amount dcomplete.Amount
---@return boolean done
function M.accept(amount)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      return insert(item, amount)
    end,
  })
end

---@param step integer
function M.cycle(step)
  vim.lsp.inline_completion.select({ count = step })
end

--- Neovim has no call for it: switching off and on again hides what is shown.
function M.dismiss()
  local buf = vim.api.nvim_get_current_buf()
  enable(buf, false)
  enable(buf, not off[buf])
end

return M
