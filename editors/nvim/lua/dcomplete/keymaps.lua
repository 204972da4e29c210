--- The opt-in keys. Each falls back to what the key did before when there is nothing to act on.

local M = {}

local keys = {
  { '<Tab>', 'accept', 'Accept the suggestion' },
  { '<C-Right>', 'accept_word', 'Accept the next word of the suggestion' },
  { '<C-Down>', 'accept_line', 'Accept the next line of the suggestion' },
  { '<M-]>', 'next', 'Show the next suggestion' },
  { '<M-[>', 'previous', 'Show the previous suggestion' },
  { '<M-Bslash>', 'trigger', 'Ask for a suggestion' },
  { '<C-]>', 'dismiss', 'Dismiss the suggestion' },
}

---@param text string
---@param mode string
local function feed(text, mode)
  vim.api.nvim_feedkeys(text, mode .. 'i', false)
end

---@param text string
---@return string
local function codes(text)
  return vim.api.nvim_replace_termcodes(text, true, true, true)
end

--- The global map of a key. A buffer's own map is left out: it wins in that buffer by itself, and must
--- not become what the key does in all others.
---@param key string
---@return table map as `maparg()` gives it; empty if the key is not mapped
local function mapped(key)
  local here = vim.fn.maparg(key, 'i', false, true)
  if here.buffer ~= 1 then
    return here
  end
  for _, map in ipairs(vim.api.nvim_get_keymap('i')) do
    if map.lhsraw == here.lhsraw then
      return map
    end
  end
  return {}
end

--- What a map stands for. `maparg()` gives it as typed, and only the script that was read knows what
--- its own `<SID>` is.
---@param map table as `maparg()` gives it, without a callback
---@return string
local function right_side(map)
  return (map.rhs:gsub('<[Ss][Ii][Dd]>', ('<SNR>%d_'):format(map.sid)))
end

--- What the key did before.
---@param key string
---@param before table as `maparg()` gives it; empty if it was not mapped
local function fall_back(key, before)
  if vim.tbl_isempty(before) then
    -- What is fed expands no abbreviation. <C-]> does, and inserts nothing; of these keys, only <Tab>
    -- would have.
    return feed(codes(key == '<Tab>' and '<C-]><Tab>' or key), 'n')
  end
  local mode = before.noremap == 1 and 'n' or 'm'
  local result
  if before.callback then
    result = before.callback()
  elseif before.expr == 1 then
    result = vim.api.nvim_eval(right_side(before))
  else
    result = right_side(before)
  end
  if before.callback and before.expr ~= 1 then
    return
  end
  if type(result) == 'string' and result ~= '' then
    local raw = before.expr == 1 and before.replace_keycodes ~= 1
    feed(raw and result or codes(result), mode)
  end
end

local applied = false

--- Map the keys, once. Keys that a person mapped keep their meaning where there is no suggestion.
function M.apply()
  if applied then
    return
  end
  applied = true
  for _, entry in ipairs(keys) do
    local key, action, description = unpack(entry)
    local before = mapped(key)
    vim.keymap.set('i', key, function()
      if not require('dcomplete')[action]() then
        fall_back(key, before)
      end
    end, { desc = 'dcomplete: ' .. description })
  end
end

return M
