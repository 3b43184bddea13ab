-- Is again whoever connected. Changes this connection alone.
reset session authorization
