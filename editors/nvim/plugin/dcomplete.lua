if vim.g.loaded_dcomplete then
  return
end
vim.g.loaded_dcomplete = 1

if vim.fn.has('nvim-0.10') == 0 then
  vim.notify('dcomplete needs Neovim 0.10 or newer.', vim.log.levels.WARN)
  return
end

vim.api.nvim_create_user_command('Dcomplete', function(command)
  require('dcomplete.commands').run(command.fargs)
end, {
  nargs = '*',
  desc = 'dcomplete: see :help :Dcomplete',
  complete = function(lead, line)
    return require('dcomplete.commands').complete(lead, line)
  end,
})

---@param mode string|string[]
---@param name string
---@param action string
---@param argument? string
local function plug(mode, name, action, argument)
  vim.keymap.set(mode, ('<Plug>(dcomplete-%s)'):format(name), function()
    require('dcomplete')[action](argument)
  end, { desc = 'dcomplete: ' .. name:gsub('-', ' ') })
end

plug('i', 'accept', 'accept')
plug('i', 'accept-word', 'accept_word')
plug('i', 'accept-line', 'accept_line')
plug('i', 'next', 'next')
plug('i', 'prev', 'previous')
plug('i', 'dismiss', 'dismiss')
plug({ 'i', 'n' }, 'trigger', 'trigger')
plug({ 'i', 'n' }, 'watch', 'watch')
plug({ 'i', 'n' }, 'compare', 'compare')
for _, choice in ipairs({ 'first', 'second', 'tie', 'neither' }) do
  plug({ 'i', 'n' }, 'vote-' .. choice, 'vote', choice)
end

vim.api.nvim_create_autocmd('InsertEnter', {
  group = vim.api.nvim_create_augroup('dcomplete', {}),
  desc = 'Start dcomplete at the first Insert mode in a buffer, and map its keys if that is wanted',
  callback = function(args)
    local config = require('dcomplete.config').get()
    if config.keymaps then
      require('dcomplete.keymaps').apply()
    end
    if config.autostart and config.enabled then
      require('dcomplete.client').start(args.buf)
    end
  end,
})
