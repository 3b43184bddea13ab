-- While a statement runs the server looks every two seconds whether whoever waits for it is still there. Some platforms' servers
-- refuse this.
set client_connection_check_interval = '2s'
