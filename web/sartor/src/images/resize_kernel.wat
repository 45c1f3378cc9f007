;; The inner loops of the resizer, with SIMD. All addresses and strides are in bytes.
;;
;; A filter of one output is: the first input (i32), an even number of weights (i32), the weights
;; (i32, in units of 2⁻²²). A pixel has four bytes, of which the last one is lost in the result.
(module
  (memory (export "memory") 1)

  ;; Resize one row: compute `width` pixels at `result` from the row at `pixels`.
  ;; `filters` has a filter for each pixel; the next one starts `filterSize` later.
  (func (export "resizeRow")
    (param $pixels i32) (param $filters i32) (param $filterSize i32) (param $width i32)
    (param $result i32)
    (local $last i32) (local $pixel i32) (local $weight i32) (local $end i32)
    (local $sum v128) (local $two v128)
    (local.set $last (i32.add (local.get $result) (i32.shl (local.get $width) (i32.const 2))))
    (loop $outputs
      (local.set $pixel
        (i32.add (local.get $pixels) (i32.shl (i32.load (local.get $filters)) (i32.const 2))))
      (local.set $weight (i32.add (local.get $filters) (i32.const 8)))
      (local.set $end
        (i32.add
          (local.get $weight)
          (i32.shl (i32.load offset=4 (local.get $filters)) (i32.const 2))))
      (local.set $sum (v128.const i32x4 0x200000 0x200000 0x200000 0x200000)) ;; one half
      (loop $inputs ;; two pixels at a time
        (local.set $two (i16x8.extend_low_i8x16_u (v128.load64_zero (local.get $pixel))))
        (local.set $sum
          (i32x4.add
            (local.get $sum)
            (i32x4.add
              (i32x4.mul
                (i32x4.extend_low_i16x8_u (local.get $two))
                (v128.load32_splat (local.get $weight)))
              (i32x4.mul
                (i32x4.extend_high_i16x8_u (local.get $two))
                (v128.load32_splat offset=4 (local.get $weight))))))
        (local.set $pixel (i32.add (local.get $pixel) (i32.const 8)))
        (local.set $weight (i32.add (local.get $weight) (i32.const 8)))
        (br_if $inputs (i32.lt_u (local.get $weight) (local.get $end))))
      (local.set $sum (i32x4.shr_u (local.get $sum) (i32.const 22)))
      (local.set $sum (i16x8.narrow_i32x4_u (local.get $sum) (local.get $sum)))
      (v128.store32_lane 0
        (local.get $result)
        (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum)))
      (local.set $filters (i32.add (local.get $filters) (local.get $filterSize)))
      (local.set $result (i32.add (local.get $result) (i32.const 4)))
      (br_if $outputs (i32.lt_u (local.get $result) (local.get $last)))))

  ;; Combine rows: compute the pixels of three bytes at `result` from the rows at `image`, which are
  ;; `stride` long, a multiple of 16. Up to 16 bytes behind the result change, too.
  (func (export "combineRows")
    (param $image i32) (param $stride i32) (param $filter i32) (param $result i32)
    (local $start i32) (local $last i32) (local $pixels i32) (local $weight i32) (local $end i32)
    (local $factor v128) (local $levels v128) (local $half v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $start
      (i32.add
        (local.get $image)
        (i32.mul (i32.load (local.get $filter)) (local.get $stride))))
    (local.set $last (i32.add (local.get $start) (local.get $stride)))
    (local.set $end
      (i32.add
        (local.get $filter)
        (i32.add (i32.const 8) (i32.shl (i32.load offset=4 (local.get $filter)) (i32.const 2)))))
    (loop $outputs ;; 16 bytes at a time
      (local.set $pixels (local.get $start))
      (local.set $weight (i32.add (local.get $filter) (i32.const 8)))
      (local.set $a (v128.const i32x4 0x200000 0x200000 0x200000 0x200000)) ;; one half
      (local.set $b (local.get $a))
      (local.set $c (local.get $a))
      (local.set $d (local.get $a))
      (loop $inputs
        (local.set $factor (v128.load32_splat (local.get $weight)))
        (local.set $levels (v128.load (local.get $pixels)))
        (local.set $half (i16x8.extend_low_i8x16_u (local.get $levels)))
        (local.set $a
          (i32x4.add
            (local.get $a)
            (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $half)) (local.get $factor))))
        (local.set $b
          (i32x4.add
            (local.get $b)
            (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $half)) (local.get $factor))))
        (local.set $half (i16x8.extend_high_i8x16_u (local.get $levels)))
        (local.set $c
          (i32x4.add
            (local.get $c)
            (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $half)) (local.get $factor))))
        (local.set $d
          (i32x4.add
            (local.get $d)
            (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $half)) (local.get $factor))))
        (local.set $pixels (i32.add (local.get $pixels) (local.get $stride)))
        (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
        (br_if $inputs (i32.lt_u (local.get $weight) (local.get $end))))
      (local.set $levels
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_u
            (i32x4.shr_u (local.get $a) (i32.const 22))
            (i32x4.shr_u (local.get $b) (i32.const 22)))
          (i16x8.narrow_i32x4_u
            (i32x4.shr_u (local.get $c) (i32.const 22))
            (i32x4.shr_u (local.get $d) (i32.const 22)))))
      (v128.store
        (local.get $result)
        (i8x16.shuffle 0 1 2 4 5 6 8 9 10 12 13 14 0 0 0 0
          (local.get $levels)
          (local.get $levels)))
      (local.set $start (i32.add (local.get $start) (i32.const 16)))
      (local.set $result (i32.add (local.get $result) (i32.const 12)))
      (br_if $outputs (i32.lt_u (local.get $start) (local.get $last))))))
