// Hanging up on a client, which no HTTP library offers.
#pragma once

namespace restante::stream_stand_in {

// Shuts down every connection of this process whose own port is `own_port` and, unless it is 0, whose
// client's port is `client_port`.
void hang_up(int own_port, int client_port);

}  // namespace restante::stream_stand_in
