--- `:Dcomplete {subcommand}`.

local M = {}

---@class dcomplete.Subcommand
---@field run fun(args: string[])
---@field complete? string[]

---@param sentence string
local function say(sentence)
  vim.notify(sentence, vim.log.levels.INFO)
end

local function public()
  return require('dcomplete')
end

--- Switch on or off, everywhere or in this buffer.
---@param args string[]
---@param enabled boolean
local function switch(args, enabled)
  if args[1] == 'buffer' then
    vim.b.dcomplete_disable = not enabled or nil
  else
    require('dcomplete.config').override({ enabled = enabled })
    vim.b.dcomplete_disable = nil
  end
  local suggest, status = require('dcomplete.suggest'), require('dcomplete.status')
  local buf = vim.api.nvim_get_current_buf()
  local reason, message = suggest.obstacle(buf)
  if require('dcomplete.native').is_on() then
    require('dcomplete.native').follow(buf)
  end
  if reason then
    suggest.hide()
    status.refuse(buf, reason, message --[[@as string]])
  else
    status.set({ kind = require('dcomplete.wire').client(buf) and 'ready' or 'off' }, buf)
    require('dcomplete.client').start(buf)
  end
end

---@param args string[]
local function toggle(args)
  local off = require('dcomplete.suggest').obstacle(vim.api.nvim_get_current_buf()) == 'disabled'
  switch(args, off)
end

--- "policy=verify model=x" as a contestant; the two are separated by "--".
---@param args string[]
---@return dcomplete.Contestant[]?
local function contestants(args)
  if #args == 0 then
    return nil
  end
  local both = { {}, {} }
  local side = 1
  for _, word in ipairs(args) do
    local key, value = word:match('^(%l+)=(.+)$')
    if word == '--' then
      side = 2
    elseif key == 'model' or key == 'policy' then
      both[side][key] = value
    else
      say('dcomplete: write two contestants as policy=NAME model=NAME -- policy=NAME model=NAME.')
      return nil
    end
  end
  return both
end

local function doctor()
  local argv = require('dcomplete.client').sibling('doctor')
  if not argv then
    return say(require('dcomplete.client').MISSING)
  end
  vim.cmd.new()
  if vim.fn.has('nvim-0.11') == 1 then
    vim.fn.jobstart(argv, { term = true })
  else
    vim.fn.termopen(argv)
  end
end

local function open_log()
  local file = require('dcomplete.client').log_file()
  if vim.uv.fs_stat(file) then
    vim.cmd.tabedit(vim.fn.fnameescape(file))
  else
    say('dcomplete: nothing was logged yet; the place is ' .. file)
  end
end

---@type table<string, dcomplete.Subcommand>
M.all = {
  enable = {
    run = function(args)
      switch(args, true)
    end,
    complete = { 'buffer' },
  },
  disable = {
    run = function(args)
      switch(args, false)
    end,
    complete = { 'buffer' },
  },
  toggle = { run = toggle, complete = { 'buffer' } },
  start = {
    run = function()
      public().start()
    end,
  },
  trigger = {
    run = function()
      public().trigger()
    end,
  },
  accept = {
    run = function(args)
      local names = { word = 'accept_word', line = 'accept_line' }
      public()[names[args[1]] or 'accept']()
    end,
    complete = { 'word', 'line' },
  },
  next = {
    run = function()
      public().next()
    end,
  },
  prev = {
    run = function()
      public().previous()
    end,
  },
  dismiss = {
    run = function()
      public().dismiss()
    end,
  },
  watch = {
    run = function()
      public().watch()
    end,
  },
  compare = {
    run = function(args)
      local both = contestants(args)
      if both or #args == 0 then
        public().compare(both)
      end
    end,
    complete = { 'policy=', 'model=', '--' },
  },
  vote = {
    run = function(args)
      local choices = require('dcomplete.compare').CHOICES
      if not vim.tbl_contains(choices, args[1]) then
        say('dcomplete: vote one of ' .. table.concat(choices, ', ') .. '.')
      elseif not public().vote(args[1]) then
        say('dcomplete: there is no comparison to vote on.')
      end
    end,
    complete = { 'first', 'second', 'tie', 'neither' },
  },
  status = {
    run = function()
      say(require('dcomplete.status').sentence())
    end,
  },
  log = { run = open_log },
  restart = {
    run = function()
      require('dcomplete.restart').run()
    end,
  },
  doctor = { run = doctor },
  health = {
    run = function()
      vim.cmd.checkhealth('dcomplete')
    end,
  },
}

---@return string[]
local function names()
  local all = vim.tbl_keys(M.all)
  table.sort(all)
  return all
end

--- Run a sub-command; an unknown one ends in one sentence.
---@param args string[]
function M.run(args)
  local name = args[1] or 'status'
  local command = M.all[name]
  if not command then
    local sentence = 'dcomplete: unknown sub-command %q; known are %s.'
    vim.notify(sentence:format(name, table.concat(names(), ', ')), vim.log.levels.WARN)
    return
  end
  command.run(vim.list_slice(args, 2))
end

--- Completion of the command line.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local words = vim.split(vim.trim(line:match('Dcomplete!?%s+(.*)$') or ''), '%s+')
  local finished = lead == '' and #words or #words - 1
  local command = M.all[words[1]]
  local offered = finished == 0 and names() or (command and command.complete or {})
  if words[1] == '' then
    offered = names()
  end
  return vim.tbl_filter(function(one)
    return vim.startswith(one, lead)
  end, offered)
end

return M
