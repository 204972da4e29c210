--- What a buffer with the server attached listens to.

local ghost = require('dcomplete.ghost')
local menu = require('dcomplete.menu')
local suggest = require('dcomplete.suggest')
local wire = require('dcomplete.wire')

local M = {}

local group = vim.api.nvim_create_augroup('dcomplete.buffers', {})

---@param buf integer
local function focus(buf)
  local client = wire.client(buf)
  if client then
    local document = { uri = vim.uri_from_bufnr(buf) }
    wire.notify(client, 'textDocument/didFocus', { textDocument = document })
  end
end

---@param buf integer
---@param names string[]
---@param callback fun()
local function on(buf, names, callback)
  vim.api.nvim_create_autocmd(names, { group = group, buffer = buf, callback = callback })
end

local names = {} ---@type table<integer, string> of attached buffers, as the server knows them

--- Close a buffer at the server under its old name and open it under the new one. Neovim does so
--- when a file is saved under another name, but not when an unnamed buffer gets one: that removes
--- its buffer-local autocommands.
---@param buf integer
local function rename(buf)
  local old, client = names[buf], wire.client(buf)
  if not client or not old or old == vim.api.nvim_buf_get_name(buf) then
    return
  end
  local uri = vim.uri_from_fname(old)
  wire.notify(client, 'textDocument/didClose', { textDocument = { uri = uri } })
  vim.lsp.buf_detach_client(buf, client.id)
  vim.lsp.buf_attach_client(buf, client.id)
end

---@param buf integer
local function forget(buf)
  names[buf] = nil
  vim.api.nvim_clear_autocmds({ group = group, buffer = buf })
end

--- Show suggestions in a buffer. May be called again. A request that the person made in the moment
--- between the server's start and this goes on.
---@param buf integer
function M.attach(buf)
  forget(buf)
  names[buf] = vim.api.nvim_buf_get_name(buf)
  ghost.define_highlights()
  require('dcomplete.status').attached(buf)
  on(buf, { 'BufEnter' }, function()
    focus(buf)
  end)
  local native = require('dcomplete.native')
  if native.attach(buf) then
    on(buf, { 'InsertEnter' }, function()
      native.follow(buf)
    end)
    return
  end
  on(buf, { 'CursorMovedI', 'TextChangedI', 'TextChangedP' }, suggest.changed)
  on(buf, { 'CompleteChanged', 'InsertEnter' }, function()
    -- The selected item is inserted, and Insert mode begins, after these events.
    vim.schedule(suggest.changed)
  end)
  on(buf, { 'InsertEnter' }, function()
    menu.listen(suggest.menu_changed)
  end)
  menu.listen(suggest.menu_changed)
  on(buf, { 'InsertLeave', 'BufLeave' }, suggest.hide)
  if buf == vim.api.nvim_get_current_buf() and vim.api.nvim_get_mode().mode:sub(1, 1) == 'i' then
    suggest.changed()
  end
end

---@param buf integer
---@param client vim.lsp.Client
function M.detach(buf, client)
  forget(buf)
  if require('dcomplete.ended').detached(buf, client) then
    on(buf, { 'TextChangedI', 'TextChangedP' }, function()
      forget(buf) -- once: the next end may set it again
      require('dcomplete.client').start(buf)
    end)
  end
  if buf == vim.api.nvim_get_current_buf() then
    suggest.hide()
  end
end

vim.api.nvim_create_autocmd({ 'BufFilePost', 'BufWritePost' }, {
  group = group,
  callback = function(args)
    rename(args.buf)
  end,
})
vim.api.nvim_create_autocmd('ColorScheme', { group = group, callback = ghost.define_highlights })

return M
