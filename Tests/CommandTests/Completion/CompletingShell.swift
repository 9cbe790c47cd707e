import Foundation
import TestSupport
import Testing

/// A shell that completes command lines with the stored script.
enum CompletingShell: String, CaseIterable, CustomTestStringConvertible {
  case bash
  /// bash without bash-completion.
  case plainBash
  case zsh
  case fish

  var testDescription: String { rawValue }

  private var program: String { self == .plainBash ? "bash" : rawValue }

  /// Returns for each line the words that may stand in the place of its last word.
  func completions(of lines: [String], _ scratch: Scratch) throws -> [[String]] {
    let results = self == .fish ? try fish(lines, scratch) : try onTerminal(lines, scratch)
    guard results.count == lines.count else {
      throw Failure("\(results.count) answers: \(results)")
    }
    return results
  }

  private func fish(_ lines: [String], _ scratch: Scratch) throws -> [[String]] {
    let script =
      "source '\(Repository.path)/completions/pipe.fish'\n"
      + #"for line in $argv; complete -C "$line" | cut -f 1; echo END; end"#
    let run = try scratch.run(["fish", "-c", script] + lines).expect()
    return run.output.components(separatedBy: "END\n").dropLast().map { answer in
      answer.split(separator: "\n").map { Self.bare(String($0)) }
    }
  }

  private func onTerminal(_ lines: [String], _ scratch: Scratch) throws -> [[String]] {
    let arguments = [rawValue, program, Repository.path + "/completions"] + lines
    let run = try scratch.run(["python3", "-c", Self.driver] + arguments).expect()
    // Nothing but the lines and what completes them may be on the screen.
    #expect(!run.output.contains(#/pipe:|rror|not found|o such/#), run.story)
    return zip(lines, run.lines).map { line, result in
      // As typed: nothing was found.
      if result == line { return [] }
      let before = line.lastIndex(of: " ").map { line[...$0] } ?? ""
      guard result.hasPrefix(before) else { return [result] }
      return Self.words(result.dropFirst(before.count)).map(Self.bare)
    }
  }

  // A directory has a slash at its end, or not, as the shell likes.
  private static func bare(_ word: String) -> String {
    word.hasSuffix("/") ? String(word.dropLast()) : word
  }

  /// Splits at spaces that no backslash quotes.
  private static func words(_ text: Substring) -> [String] {
    var found = [""]
    var isQuoted = false
    for character in text {
      if !isQuoted, character == "\\" {
        isQuoted = true
        continue
      }
      if !isQuoted, character == " " {
        found.append("")
      } else {
        found[found.count - 1].append(character)
      }
      isQuoted = false
    }
    return found.filter { !$0.isEmpty }
  }

  /// Starts the shell on a terminal. Types each line, a key that inserts all completions, and a key
  /// that sends the line back; prints these lines, and then the screen.
  private static let driver = #"""
    import os, pty, select, signal, sys
    kind, program, completions = sys.argv[1:4]
    reading, writing = os.pipe()
    os.dup2(writing, 9)
    os.set_inheritable(9, True)
    os.makedirs("rc", exist_ok=True)
    if program == "bash":
        extra = ". /usr/share/bash-completion/bash_completion\n" if kind == "bash" else ""
        text = extra + """
    PS1='$ '
    . '%s/pipe.bash'
    send() { printf '%%s\\n' "$READLINE_LINE" >&9; READLINE_LINE= READLINE_POINT=0; }
    bind 'set bell-style none'
    bind 'set enable-bracketed-paste off'
    bind -x '"\\C-xd": send'
    bind '"\\C-xa": insert-completions'
    echo >&9
    """
        command = ["bash", "--noprofile", "--rcfile", "rc/.zshrc", "-i"]
    else:
        text = """
    PS1='$ '
    fpath=('%s' $fpath)
    autoload -U compinit && compinit -u -D
    setopt no_beep
    zle -C all-matches complete-word _generic
    zstyle ':completion:all-matches:*' completer _all_matches _complete
    zstyle ':completion:all-matches:*' insert yes
    bindkey '^Xa' all-matches
    send() { print -r -- "$BUFFER" >&9; BUFFER=; }
    zle -N send
    bindkey '^Xd' send
    zle-line-init() { print >&9; zle -D zle-line-init }
    zle -N zle-line-init
    """
        os.environ["ZDOTDIR"] = os.path.abspath("rc")
        command = ["zsh", "-i"]
    with open("rc/.zshrc", "w") as file:
        file.write(text % completions)
    process, screen = pty.fork()
    if process == 0:
        os.execvp(command[0], command)
    signal.alarm(600)
    seen = bytearray()
    def answer():
        text = bytearray()
        while not text.endswith(b"\n"):
            ready = select.select([screen, reading], [], [])[0]
            if screen in ready:
                seen.extend(os.read(screen, 65536))
            if reading in ready:
                text += os.read(reading, 4096)
        return text.decode()
    answer()
    for line in sys.argv[4:]:
        os.write(screen, (line + "\x18a\x18d").encode())
        sys.stdout.write(answer())
    os.kill(process, signal.SIGKILL)
    sys.stdout.write(seen.decode())
    """#
}

extension Trait where Self == Needs {
  static var needsShells: Needs {
    Needs {
      let script = "/usr/share/bash-completion/bash_completion"
      return ["bash", "zsh", "fish", "python3"].lazy.compactMap(lacks).first
        ?? (FileManager.default.fileExists(atPath: script)
          ? nil : "bash-completion is not installed")
    }
  }
}
