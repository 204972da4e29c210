--- The settings: defaults, `vim.g.dcomplete`, then `setup()`; the later wins.

local M = {}

---@class dcomplete.Contestant
---@field model? string
---@field policy? string

---@class dcomplete.Config
---@field enabled boolean suggestions come by themselves and when asked for
---@field autostart boolean the server starts at the first Insert mode in an ordinary buffer
---@field native boolean Neovim 0.12 draws the ghost text (`vim.lsp.inline_completion`)
---@field keymaps boolean map the keys listed in |dcomplete-keymaps|
---@field debounce integer milliseconds without a keystroke before the server is asked
---@field popup 'show'|'hide' what happens to ghost text while a completion menu is open
---@field step_ms integer milliseconds that a denoise step stays on screen at least
---@field cmd? string[] the server's command line; found by itself if nil
---@field should_attach? fun(buf: integer): boolean
---@field compare dcomplete.Contestant[] the two contestants of `:Dcomplete compare`
---@field settings table the server's settings, sent as they are
M.defaults = {
  enabled = true,
  autostart = true,
  native = false,
  keymaps = false,
  debounce = 30,
  popup = 'show',
  step_ms = 60,
  cmd = nil,
  should_attach = nil,
  compare = { { policy = 'threshold' }, { policy = 'verify' } },
  settings = {},
}

local kinds = {
  enabled = 'boolean',
  autostart = 'boolean',
  native = 'boolean',
  keymaps = 'boolean',
  debounce = 'number',
  popup = { 'show', 'hide' },
  step_ms = 'number',
  cmd = 'table',
  should_attach = 'function',
  compare = 'table',
  settings = 'table',
}

local from_setup = {} ---@type table
local merged ---@type dcomplete.Config?

---@param key string
---@param value any
---@return string? sentence what is wrong with the value
local function mistake(key, value)
  local kind = kinds[key]
  if not kind then
    local known = vim.tbl_keys(kinds)
    table.sort(known)
    return ('Unknown setting %q; known are %s.'):format(key, table.concat(known, ', '))
  end
  if type(kind) == 'table' then
    if not vim.tbl_contains(kind, value) then
      return ('Setting %s must be one of %s.'):format(key, table.concat(kind, ', '))
    end
  elseif type(value) ~= kind then
    return ('Setting %s must be a %s, not a %s.'):format(key, kind, type(value))
  end
  if key == 'cmd' and (#value == 0 or type(value[1]) ~= 'string') then
    return 'Setting cmd must be a list of texts, the executable first.'
  end
  if key == 'compare' and #value ~= 2 then
    return 'Setting compare must name two contestants.'
  end
end

--- What a person set, without the defaults, wrong values left out.
---@return table given
---@return string[] mistakes one sentence each
local function read()
  local given, mistakes = {}, {}
  local global = vim.g.dcomplete
  if global ~= nil and type(global) ~= 'table' then
    mistakes[1] = 'vim.g.dcomplete must be a table.'
    global = nil
  end
  for key, value in pairs(vim.tbl_extend('force', global or {}, from_setup)) do
    local sentence = mistake(key, value)
    if sentence then
      table.insert(mistakes, sentence)
    else
      given[key] = value
    end
  end
  table.sort(mistakes)
  return given, mistakes
end

--- Sentences about settings that were not understood.
---@return string[]
function M.mistakes()
  local _, mistakes = read()
  return mistakes
end

--- All settings. Wrong values are told once and left out.
---@return dcomplete.Config
function M.get()
  if not merged then
    local given, mistakes = read()
    merged = vim.tbl_extend('force', M.defaults, given) --[[@as dcomplete.Config]]
    for _, sentence in ipairs(mistakes) do
      vim.notify_once('dcomplete: ' .. sentence, vim.log.levels.WARN)
    end
  end
  return merged
end

--- Settings over `vim.g.dcomplete`. May be called again.
---@param opts? table
function M.override(opts)
  from_setup = vim.tbl_extend('force', from_setup, opts or {})
  merged = nil
end

return M
