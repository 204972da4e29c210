"""A short source file in each language that holes are cut in."""

from dcomplete.train.filters import LANGUAGES

FILLER = "A file has to be long enough to be worth reading, so this goes on for a while. " * 4
BODY = {
    "bash": """size=3
twice() {
  local factor="$1"
  if [ "$factor" -gt 2 ]; then
    echo "big $factor"
  fi
  echo $((size * factor))
}
twice 4
""",
    "c": """int twice(int factor, int extra) {
    if (factor > 2) {
        printf("big %d", factor);
    }
    return 3 * factor + extra;
}
""",
    "csharp": """class Box {
    int size = 3;
    public int Twice(int factor, int extra) {
        if (factor > 2) {
            Console.WriteLine("big " + factor);
        }
        return size * factor + extra;
    }
}
""",
    "go": """package box

func Twice(factor int, extra int) int {
	if factor > 2 {
		fmt.Println("big", factor)
	}
	return size*factor + extra
}
""",
    "java": """class Box {
    int twice(int factor, int extra) {
        if (factor > 2) {
            System.out.println("big " + factor);
        }
        return size * factor + extra;
    }
}
""",
    "javascript": """function twice(factor, extra) {
  if (factor > 2) {
    console.log("big " + factor);
  }
  return size * factor + extra;
}
""",
    "kotlin": """fun twice(factor: Int, extra: Int): Int {
    if (factor > 2) {
        println("big " + factor)
    }
    return size * factor + extra
}
""",
    "lua": """local function twice(factor, extra)
  if factor > 2 then
    print("big " .. factor)
  end
  return size * factor + extra
end
return twice
""",
    "php": """<?php
function twice(int $factor, int $extra): int {
    if ($factor > 2) {
        echo "big " . $factor;
    }
    return max(3 * $factor, $extra);
}
""",
    "python": """def twice(factor, extra):
    if factor > 2:
        print("big", factor)
        print("really", factor)
    return size * factor + extra
""",
    "ruby": """def twice(factor, extra)
  if factor > 2
    puts("big #{factor}")
  end
  @size * factor + extra
end
""",
    "rust": """fn twice(factor: i32, extra: i32) -> i32 {
    if factor > 2 {
        show(factor);
    }
    max(SIZE * factor, extra)
}
""",
    "scala": """class Box(size: Int) {
  def twice(factor: Int, extra: Int): Int = {
    if (factor > 2) {
      println("big " + factor)
    }
    size * factor + extra
  }
}
""",
    "sql": """CREATE TABLE box (id INT PRIMARY KEY, size INT);
SELECT b.id, COUNT(*) AS many
FROM box b
WHERE b.size > 2 AND b.id < 10
GROUP BY b.id;
""",
    "swift": """func twice(factor: Int, extra: Int) -> Int {
    if factor > 2 {
        print("big", factor)
    }
    return size * factor + extra
}
""",
    "tsx": """function Box(props: { size: number }) {
  if (props.size > 2) {
    console.log("big");
  }
  return <div className="box">{twice(props.size)}</div>;
}
""",
}
BODY["cpp"] = BODY["c"]
BODY["typescript"] = BODY["javascript"]
COMMENT = {"bash": "# {}", "python": "# {}", "ruby": "# {}", "lua": "-- {}", "sql": "-- {}"}
SUFFIX = {language: suffix for suffix, language in reversed(LANGUAGES.items())}


def source(language: str) -> str:
    comment = COMMENT.get(language, "// {}").format(FILLER) + "\n"
    head = "<?php\n" if language == "php" else ""
    lines = [comment[i : i + 90] for i in range(0, len(comment.strip()), 90)]
    sign = comment.split()[0]
    wrapped = "".join(f"{sign} {line.removeprefix(sign).strip()}\n" for line in lines)
    return head + wrapped + BODY[language].removeprefix(head)
