--- The server: where it is, how it starts, which buffers it gets.

local config = require('dcomplete.config')
local status = require('dcomplete.status')
local wire = require('dcomplete.wire')

local M = {}

M.MISSING = 'dcomplete: the server is not installed. Install it with "uv tool install" or "pipx install" '
  .. 'and the folder of its sources, or set cmd in vim.g.dcomplete; see :help dcomplete-install.'

local MARKERS = { '.git', '.hg', 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod' }

--- Where the server writes its log, unless `cmd` says otherwise. It holds no code and no paths.
---@return string
function M.log_file()
  return vim.fs.joinpath(vim.fn.stdpath('log'), 'dcomplete.log')
end

---@param folder string
---@return boolean
local function is_absolute(folder)
  return folder:match('^[/\\]') ~= nil or folder:match('^%a:[/\\]') ~= nil
end

--- A program's place. A bare name is looked for where the PATH names whole folders only: what a relative
--- entry stands for depends on the project that is open, and would run a program that came with it.
---@param name string
---@return string? path nil if there is no such program
local function program(name)
  if name:find('[/\\]') then
    local path = name:gsub('^~%f[/\\]', vim.uv.os_homedir() or '~')
    return vim.fn.executable(path) == 1 and path or nil
  end
  local separator = vim.fn.has('win32') == 1 and ';' or ':'
  for _, folder in ipairs(vim.split(vim.env.PATH or '', separator, { plain = true })) do
    local path = vim.fs.joinpath(folder, name)
    if is_absolute(folder) and vim.fn.executable(path) == 1 then
      return vim.fn.exepath(path)
    end
  end
end

--- The server's command line. A virtual environment inside a project is not searched: opening a
--- file must not run a program that came with it.
---@return string[]? command nil if the server is not installed
function M.command()
  local given = config.get().cmd
  if given then
    local path = program(given[1])
    return path and { path, unpack(given, 2) } or nil
  end
  local places = { 'dcomplete' }
  if vim.env.VIRTUAL_ENV then
    table.insert(places, vim.env.VIRTUAL_ENV .. '/bin/dcomplete')
    table.insert(places, vim.env.VIRTUAL_ENV .. '/Scripts/dcomplete.exe')
  end
  table.insert(places, vim.fn.expand('~/.local/bin/dcomplete'))
  for _, place in ipairs(places) do
    local path = program(place)
    if path then
      return { path, 'lsp', '--log-file', M.log_file() }
    end
  end
end

--- The command line of another sub-command: what stands before `lsp` belongs to the program, such as
--- `uv run dcomplete`.
---@param ... string the sub-command and its arguments
---@return string[]? command nil if the server is not installed
function M.sibling(...)
  local command = M.command()
  if not command then
    return nil
  end
  local last = 1
  for i, word in ipairs(command) do
    if word == 'lsp' then
      last = i - 1
      break
    end
  end
  return vim.list_extend(vim.list_slice(command, 1, last), { ... })
end

--- Whether the server may have a buffer; decided once, when it is attached.
---@param buf integer
---@return boolean
function M.wanted(buf)
  local options = vim.bo[buf]
  local predicate = config.get().should_attach
  return (options.buftype == '' or options.buftype == 'acwrite')
    and (not predicate or predicate(buf) == true)
end

---@param buf integer
---@return string?
local function root(buf)
  return vim.fs.root(buf, MARKERS)
end

--- Whether the server is there. If not, a person is told: once, or each time they ask for something.
---@param asked? boolean
---@return boolean
local function is_installed(asked)
  if M.command() then
    return true
  end
  status.set({ kind = 'error', reason = 'no-server', message = M.MISSING:sub(12) })
  local tell = asked and vim.notify or vim.notify_once
  tell(M.MISSING, vim.log.levels.WARN)
  return false
end

---@param client vim.lsp.Client
---@param folder? string
local function add_folder(client, folder)
  local provided = vim.tbl_get(client, 'server_capabilities', 'workspace', 'workspaceFolders')
  if not folder or not provided then
    return
  end
  local known = client.workspace_folders or {}
  for _, one in ipairs(known) do
    if one.name == folder then
      return
    end
  end
  local added = { uri = vim.uri_from_fname(folder), name = folder }
  client.workspace_folders = vim.list_extend(vim.list_slice(known), { added })
  local event = { added = { added }, removed = {} }
  wire.notify(client, 'workspace/didChangeWorkspaceFolders', { event = event })
end

--- One server for all folders: the engine behind it is shared anyway.
---@param client vim.lsp.Client
---@param other table
---@return boolean
local function reuse(client, other)
  if client.name ~= wire.NAME or wire.is_stopped(client) then
    return false
  end
  add_folder(client, other.root_dir)
  return true
end

local handlers = {
  ['dcomplete/status'] = function(_, params)
    local was_loading = status.last.kind == 'loading'
    status.told(params)
    if was_loading and params.kind == 'ready' then
      require('dcomplete.suggest').again()
    end
  end,
  ['$/progress'] = function(err, params, ctx, ...)
    if not require('dcomplete.watch').progress(params) then
      return vim.lsp.handlers['$/progress'](err, params, ctx, ...)
    end
  end,
}

---@return table
local function server_settings()
  local settings = config.get().settings
  return next(settings) == nil and vim.empty_dict() or settings
end

--- A configuration is kept by Neovim, and settings may have changed since it was made. What a person set
--- with `vim.lsp.config` stays.
---@param made table the server's settings when the configuration was made
---@return fun(params: lsp.InitializeParams, config: vim.lsp.ClientConfig) before_init
local function renew(made)
  local latest = made
  return function(params, config)
    local options = params.initializationOptions
    if type(options) == 'table' and vim.deep_equal(options.dcomplete, made) then
      params.initializationOptions =
        vim.tbl_extend('force', options, { dcomplete = server_settings() })
    end
    if config.settings and vim.deep_equal(config.settings.dcomplete, latest) then
      latest = server_settings()
      config.settings.dcomplete = latest
    end
  end
end

--- Give the servers that run the settings as they are now. Neovim gives them to one that is starting once
--- that has started.
function M.configure()
  for _, client in ipairs(wire.clients()) do
    client.settings.dcomplete = server_settings()
    if client.initialized then
      wire.notify(client, 'workspace/didChangeConfiguration', { settings = client.settings })
    end
  end
end

--- The configuration that `vim.lsp.enable('dcomplete')` uses; `lsp/dcomplete.lua` returns it.
---@return table
function M.config()
  local settings = server_settings()
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.textDocument.inlineCompletion = { dynamicRegistration = false }
  local version = vim.version()
  return {
    name = wire.NAME,
    cmd = function(dispatchers) -- looked for when it is needed: it may have been installed since
      return vim.lsp.rpc.start(assert(M.command(), M.MISSING), dispatchers)
    end,
    root_dir = function(buf, on_dir)
      if M.wanted(buf) and is_installed() then
        M.one_unnamed(buf)
        on_dir(root(buf))
      end
    end,
    reuse_client = reuse,
    capabilities = capabilities,
    handlers = handlers,
    init_options = {
      dcomplete = settings,
      editorInfo = {
        name = 'Neovim',
        version = ('%d.%d.%d'):format(version.major, version.minor, version.patch),
      },
    },
    settings = { dcomplete = settings },
    before_init = renew(settings),
  }
end

--- Unnamed buffers share one URI, so only one of them is open at the server.
---@param buf integer
function M.one_unnamed(buf)
  if vim.api.nvim_buf_get_name(buf) ~= '' then
    return
  end
  for _, client in ipairs(vim.lsp.get_clients({ name = wire.NAME })) do
    for other in pairs(client.attached_buffers) do
      if other ~= buf and vim.api.nvim_buf_get_name(other) == '' then
        vim.lsp.buf_detach_client(other, client.id)
      end
    end
  end
end

--- Start the server if need be and give it a buffer.
---@param buf integer
---@param asked? boolean by the person, so that they are told if it is not installed
---@return integer? id of the client
function M.start(buf, asked)
  local attached = vim.lsp.get_clients({ bufnr = buf, name = wire.NAME })[1]
  if attached then
    return attached.id
  end
  if not vim.api.nvim_buf_is_loaded(buf) or not M.wanted(buf) or not is_installed(asked) then
    return nil
  end
  local settings = vim.lsp.config and vim.lsp.config[wire.NAME] or M.config()
  settings = vim.tbl_extend('force', settings, { root_dir = root(buf) or vim.NIL })
  if settings.root_dir == vim.NIL then
    settings.root_dir = nil
  end
  M.one_unnamed(buf)
  return vim.lsp.start(settings, { bufnr = buf, reuse_client = reuse })
end

local group = vim.api.nvim_create_augroup('dcomplete.client', {})

---@param event 'LspAttach'|'LspDetach'
---@param act fun(buf: integer, client: vim.lsp.Client)
local function on(event, act)
  vim.api.nvim_create_autocmd(event, {
    group = group,
    callback = function(args)
      local client = vim.lsp.get_client_by_id(args.data.client_id)
      if client and client.name == wire.NAME then
        act(args.buf, client)
      end
    end,
  })
end

on('LspAttach', function(buf, client)
  -- While the server was starting, nobody knew whether it takes more folders than its first.
  add_folder(client, root(buf))
  require('dcomplete.events').attach(buf)
end)
on('LspDetach', function(buf, client)
  require('dcomplete.events').detach(buf, client)
end)

return M
