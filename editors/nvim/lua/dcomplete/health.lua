--- `:checkhealth dcomplete`.

local M = {}

local ANSWER_MS = 10000 -- a first start compiles the server's modules

local health = vim.health

--- The output of a command, or nil and what went wrong.
---@param argv string[]
---@return string?
local function output(argv)
  local ok, done = pcall(function()
    return vim.system(argv, { text = true }):wait(ANSWER_MS)
  end)
  return ok and done.code == 0 and vim.trim(done.stdout) or nil
end

local function check_editor()
  health.start('dcomplete: Neovim')
  local version = tostring(vim.version())
  if vim.fn.has('nvim-0.10') == 0 then
    return health.error('Neovim ' .. version .. ' is too old.', 'Install 0.10 or newer.')
  end
  health.ok('Neovim ' .. version)
  local config = require('dcomplete.config')
  for _, sentence in ipairs(config.mistakes()) do
    health.error(sentence, 'See :help dcomplete-settings.')
  end
  if #config.mistakes() == 0 then
    health.ok('The settings are understood.')
  end
  if config.get().native and not vim.lsp.inline_completion then
    health.warn('native = true has no effect before Neovim 0.12.')
  end
end

---@return boolean
local function check_server()
  health.start('dcomplete: server')
  local client = require('dcomplete.client')
  local command = client.sibling('--version')
  if not command then
    health.error('The server is not installed.', {
      'uv tool install path/to/dcomplete, the folder of its sources',
      'or: pipx install path/to/dcomplete',
      'or set cmd in vim.g.dcomplete to its place.',
    })
    return false
  end
  local version = output(command)
  table.remove(command)
  local place = table.concat(command, ' ')
  if not version then
    health.error(place .. ' does not answer.', 'Run it in a shell to see why.')
    return false
  end
  health.ok(('%s at %s'):format(version, place))
  return true
end

--- What the server says about itself and the engine.
---@param client vim.lsp.Client
---@return table?
local function ask(client)
  local answer
  local wire = require('dcomplete.wire')
  local params = { command = 'dcomplete.status', arguments = {} }
  wire.request(client, 'workspace/executeCommand', params, function(_, result)
    answer = result or {}
  end, vim.api.nvim_get_current_buf())
  vim.wait(ANSWER_MS, function()
    return answer ~= nil
  end, 20)
  return type(answer) == 'table' and answer or nil
end

local function check_client()
  health.start('dcomplete: at work')
  local wire = require('dcomplete.wire')
  local client = vim.lsp.get_clients({ name = wire.NAME })[1]
  if not client then
    health.info('The server does not run yet; it starts at the first Insert mode in a file.')
    return
  end
  local count = vim.tbl_count(client.attached_buffers)
  local buffers = count == 1 and '1 buffer' or count .. ' buffers'
  health.ok(('The server runs for %s, columns in %s.'):format(buffers, client.offset_encoding))
  local answer = ask(client)
  if not answer then
    health.error('The server does not answer.', 'Try :Dcomplete restart, then :Dcomplete log.')
    return
  end
  local engine = type(answer.engine) == 'table' and answer.engine or nil
  local state = engine and type(engine.state) == 'string' and (' (%s)'):format(engine.state) or ''
  if engine then
    health.ok('The engine answers' .. state .. '.')
  else
    health.info('The engine does not run now; it starts with the next suggestion.')
  end
  local status = require('dcomplete.status')
  if status.last.kind == 'error' then
    health.error(status.sentence(), 'See :Dcomplete log.')
  elseif status.last.reason ~= '' then
    health.info('Last reason for no suggestion: ' .. status.last.message)
  else
    health.ok(status.sentence())
  end
end

--- Run all checks.
function M.check()
  check_editor()
  if check_server() then
    check_client()
  end
end

return M
