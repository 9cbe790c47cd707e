import Foundation
import TestSupport

/// `ssh host` in a scratch directory: the real ssh, with an sshd that talks to it by pipes instead of a port. The home of
/// the host is `host`, beside the scratch directory: the login shell, which bash is for most, reads no start-up file of
/// the user.
enum RemoteHost {
  static func install(in scratch: Scratch) throws {
    try scratch.installProgram("ssh", script)
    try scratch.sh("mkdir -p /run/sshd ../host && ssh host true").mustSucceed()
  }

  private static let script = #"""
    #!/bin/sh
    base=$(dirname "$(dirname "$0")")
    d=$base/ssh
    if [ ! -d "$d" ]; then
      mkdir "$d"
      ssh-keygen -q -t ed25519 -N '' -f "$d/server"
      ssh-keygen -q -t ed25519 -N '' -f "$d/user"
      cat > "$d/login" <<END
    #!/bin/sh
    cd "$base/host" && export HOME="$base/host" PATH="$PATH" && unset PIPE_QUEUE && exec sh -c "\$SSH_ORIGINAL_COMMAND"
    END
      chmod +x "$d/login"
      cat > "$d/server.conf" <<END
    HostKey $d/server
    AuthorizedKeysFile $d/user.pub
    StrictModes no
    UsePAM no
    PasswordAuthentication no
    LogLevel ERROR
    SetEnv HOME=$base/host
    ForceCommand $d/login
    END
      cat > "$d/user.conf" <<END
    Host host
      IdentityFile $d/user
      StrictHostKeyChecking no
      UserKnownHostsFile /dev/null
      LogLevel ERROR
      ProxyCommand $(PATH=$PATH:/usr/sbin command -v sshd) -i -f $d/server.conf
    END
    fi
    PATH=${PATH#*:} exec ssh -F "$d/user.conf" "$@"
    """#
}

/// `sudo -u www-data` and `sudo -u worker` in a scratch directory: two users in the group www-data, without accounts of
/// their own.
enum OtherUsers {
  static func install(in scratch: Scratch) throws {
    try scratch.installProgram("sudo", script)
  }

  private static let script = #"""
    #!/bin/sh
    user=$2
    shift 2
    case $user in
      www-data) id=\#(Users.ann) ;;
      worker) id=\#(Users.bob) ;;
    esac
    group=$(getent group www-data | cut -d : -f 3)
    exec setpriv --reuid "$id" --regid "$id" --groups "$group" -- "$@"
    """#
}

extension Scratch {
  /// Puts a program before all others in the PATH of commands. A child writes it: a child of another test
  /// could inherit a descriptor of this process, and then the program is busy.
  fileprivate func installProgram(_ name: String, _ script: String) throws {
    try sh("cat > ../bin/\(name) && chmod 755 ../bin/\(name)", input: script).mustSucceed()
  }
}
