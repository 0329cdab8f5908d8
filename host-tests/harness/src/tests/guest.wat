;; A small module to try the harness with. What it does with a request, the second byte of its path says:
;;   /f  forward     /a  answer 403     /t  trap     /r  resume twice     anything else: call the cluster "svc" from the root context and wait
;; The reply lets every waiting request go on, with the header "x-seen: 1", or answers it with 503 when the call failed without headers.
(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $get_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_effective_context" (func $act_for (param i32) (result i32)))
  (import "env" "proxy_http_call"
    (func $http_call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_continue_stream" (func $resume (param i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $respond (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_tick_period_milliseconds" (func $tick_every (param i32) (result i32)))
  (import "env" "proxy_define_metric" (func $define_metric (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_increment_metric" (func $increment_metric (param i32 i64) (result i32)))

  (memory (export "memory") 1)
  (data (i32.const 0) "svc")
  (data (i32.const 8) "x-seen")
  (data (i32.const 16) "1")
  (data (i32.const 24) ":path")
  (data (i32.const 32) "ticks")
  (data (i32.const 40) "the configuration is empty")
  ;; three pairs: the count, the sizes, then names and values, each ended by a zero
  (data (i32.const 128) "\03\00\00\00\0a\00\00\00\01\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\02\00\00\00")
  (data (i32.const 156) ":authority\00a\00:method\00GET\00:path\00/x\00")

  ;; 256: returned pointer, 260: returned size, 264: callout id, 268: metric id, from 512: the contexts that wait
  (global $waiting (mut i32) (i32.const 0))
  (global $heap (mut i32) (i32.const 4096))

  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get $size))))

  (func (export "proxy_on_configure") (param $root i32) (param $size i32) (result i32)
    (drop (call $tick_every (i32.const 1000)))
    (drop (call $define_metric (i32.const 0) (i32.const 32) (i32.const 5) (i32.const 268)))
    (if (i32.eqz (local.get $size)) (then (drop (call $log (i32.const 4) (i32.const 40) (i32.const 26)))))
    (i32.ne (local.get $size) (i32.const 0)))

  (func (export "proxy_on_tick") (param $root i32)
    (drop (call $increment_metric (i32.load (i32.const 268)) (i64.const 1))))

  (func $answer (param $status i32)
    (drop (call $respond (local.get $status) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3)
      (i32.const 0) (i32.const 0) (i32.const -1))))

  (func $slot (param $index i32) (result i32)
    (i32.add (i32.const 512) (i32.mul (local.get $index) (i32.const 4))))

  (func $wait (param $context i32) (local $refused i32)
    (drop (call $act_for (i32.const 1)))
    (local.set $refused (call $http_call (i32.const 0) (i32.const 3) (i32.const 128) (i32.const 62)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 500) (i32.const 264)))
    (drop (call $act_for (local.get $context)))
    (if (local.get $refused)
      (then (call $answer (i32.add (i32.const 500) (local.get $refused))))
      (else
        (i32.store (call $slot (global.get $waiting)) (local.get $context))
        (global.set $waiting (i32.add (global.get $waiting) (i32.const 1))))))

  (func (export "proxy_on_request_headers") (param $context i32) (param $count i32) (param $end i32) (result i32)
    (local $wish i32)
    (drop (call $get_header (i32.const 0) (i32.const 24) (i32.const 5) (i32.const 256) (i32.const 260)))
    (local.set $wish (i32.load8_u (i32.add (i32.load (i32.const 256)) (i32.const 1))))
    (if (i32.eq (local.get $wish) (i32.const 0x66)) (then (return (i32.const 0))))
    (if (i32.eq (local.get $wish) (i32.const 0x74)) (then unreachable))
    (if (i32.eq (local.get $wish) (i32.const 0x61)) (then (call $answer (i32.const 403)) (return (i32.const 1))))
    (if (i32.eq (local.get $wish) (i32.const 0x72)) (then
      (drop (call $resume (i32.const 0)))
      (if (i32.eqz (call $resume (i32.const 0))) (then unreachable))
      (return (i32.const 1))))
    (call $wait (local.get $context))
    (i32.const 1))

  (func (export "proxy_on_http_call_response")
    (param $root i32) (param $id i32) (param $headers i32) (param $body i32) (param $trailers i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (global.get $waiting)))
        (global.set $waiting (i32.sub (global.get $waiting) (i32.const 1)))
        (drop (call $act_for (i32.load (call $slot (global.get $waiting)))))
        (if (local.get $headers)
          (then
            (drop (call $add_header (i32.const 0) (i32.const 8) (i32.const 6) (i32.const 16) (i32.const 1)))
            (drop (call $resume (i32.const 0))))
          (else (call $answer (i32.const 503))))
        (br $next))))

  ;; a request that leaves waits no longer
  (func (export "proxy_on_log") (param $context i32) (local $index i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $index) (global.get $waiting)))
        (if (i32.eq (i32.load (call $slot (local.get $index))) (local.get $context))
          (then
            (global.set $waiting (i32.sub (global.get $waiting) (i32.const 1)))
            (i32.store (call $slot (local.get $index)) (i32.load (call $slot (global.get $waiting))))
            (br $done)))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $next)))))
