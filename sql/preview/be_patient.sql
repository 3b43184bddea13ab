-- What a preview prints may be read page by page, while its transaction, which only reads, is open.
set idle_in_transaction_session_timeout = '10min'
