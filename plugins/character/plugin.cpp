// What can stand at the other end of a serial port.
#include "file_stream.h"
#include "log_stream.h"
#include "null_stream.h"
#include "pty_stream.h"
#include "tcp_stream.h"
#include "terminal_stream.h"
#include "unix_stream.h"

#include <backplane/plugin.h>

using namespace backplane::character;

BACKPLANE_PLUGIN(.id = "org.backplane.character", .name = "Character streams", .version = "0.1.0",
                 .vendor = "Backplane", .license = "Apache-2.0",
                 .devices = backplane::device_types<TerminalStream, FileStream, PtyStream,
                                                    UnixStream, TcpStream, LogStream, NullStream>);
