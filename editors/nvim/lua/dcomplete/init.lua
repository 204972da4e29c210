--- The public functions. Everything else is loaded when one of them is called.

local M = {}

---@param name string
---@return table
local function room(name)
  return require('dcomplete.' .. name)
end

--- Change settings from Lua. Nothing needs this: `vim.g.dcomplete` does the same, and there are defaults.
---@param opts? table see |dcomplete-settings|
function M.setup(opts)
  room('config').override(opts)
  if package.loaded['dcomplete.client'] then
    room('client').configure()
  end
end

--- Start the server now, for the ordinary buffers there are and those to come.
function M.start()
  vim.api.nvim_create_autocmd({ 'BufEnter', 'FileType' }, {
    group = vim.api.nvim_create_augroup('dcomplete.start', {}),
    callback = function(args)
      room('client').start(args.buf)
    end,
  })
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.bo[buf].buflisted then
      room('client').start(buf)
    end
  end
end

---@param amount dcomplete.Amount
---@return boolean done
local function accept(amount)
  if room('native').is_on() then
    return room('native').accept(amount)
  end
  return room('accept').run(amount)
end

--- Accept the whole suggestion.
---@return boolean done false if there is none: let the key do what it does otherwise
function M.accept()
  return accept('all')
end

--- Accept the next word of the suggestion.
---@return boolean done
function M.accept_word()
  return accept('word')
end

--- Accept the next line of the suggestion.
---@return boolean done
function M.accept_line()
  return accept('line')
end

---@param step integer
---@return boolean done
local function cycle(step)
  if room('native').is_on() then
    room('native').cycle(step)
    return true
  end
  return room('suggest').cycle(step)
end

--- Show the next suggestion for this place.
---@return boolean done
function M.next()
  return cycle(1)
end

--- Show the previous suggestion for this place.
---@return boolean done
function M.previous()
  return cycle(-1)
end

--- Hide the suggestion.
---@return boolean done
function M.dismiss()
  if room('native').is_on() then
    room('native').dismiss()
    return true
  end
  local watch = package.loaded['dcomplete.watch']
  local watched = watch ~= nil and watch.stop()
  return room('suggest').dismiss() or watched
end

--- Run something in Insert mode at the cursor, which is entered first if need be.
---@param act fun()
local function inserting(act)
  if room('screen').is_inserting() then
    return act()
  end
  local behind = vim.api.nvim_get_current_line():sub(vim.api.nvim_win_get_cursor(0)[2] + 1)
  local at_end = #behind == #vim.fn.matchstr(behind, '^.') -- on the last character, of any length
  vim.cmd(at_end and 'startinsert!' or 'startinsert')
  vim.defer_fn(act, 10)
end

--- Give the current buffer to the server, then run something in Insert mode once it is there.
---@param act fun()
local function served(act)
  if room('native').is_on() then
    vim.notify('dcomplete: Neovim draws (native = true), which has no such view and no trigger.')
    return
  end
  local buf = vim.api.nvim_get_current_buf()
  local reason, message = room('suggest').obstacle(buf)
  if reason then
    vim.notify('dcomplete: ' .. message, vim.log.levels.INFO)
    return
  end
  if not room('client').wanted(buf) then
    vim.notify('dcomplete: should_attach keeps the server from this buffer.')
    return
  end
  if not room('client').start(buf, true) then
    return
  end
  local function attempt(left)
    if vim.api.nvim_get_current_buf() ~= buf then
      return -- the person went on elsewhere, where nothing was asked for
    elseif room('wire').client(buf) or left == 0 then
      inserting(act)
    else
      vim.defer_fn(function()
        attempt(left - 1)
      end, 50)
    end
  end
  attempt(200) -- 10 s: a server that starts for the first time compiles its modules
end

--- Ask for suggestions now.
---@return boolean done
function M.trigger()
  served(function()
    room('suggest').ask(true)
  end)
  return true
end

--- Show the denoising, then the suggestion.
function M.watch()
  served(room('watch').run)
end

--- Show two suggestions without names; see |dcomplete-compare|.
---@param contestants? dcomplete.Contestant[]
function M.compare(contestants)
  served(function()
    room('compare').run(contestants)
  end)
end

--- Vote on the comparison on screen.
---@param choice 'first'|'second'|'tie'|'neither'
---@return boolean done
function M.vote(choice)
  return room('compare').vote(choice)
end

--- For a status line: "dcomplete", with the reason when nothing appears; "" where it is not at work.
---@param buf? integer
---@return string
function M.statusline(buf)
  return room('status').line(buf)
end

return M
