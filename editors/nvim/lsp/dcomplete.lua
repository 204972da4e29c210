-- For `vim.lsp.enable('dcomplete')`, Neovim 0.11 and later.
return require('dcomplete.client').config()
