//! Stories that once broke a law, shrunk, and the first seeds of the campaign.

use raccord_sim::act::Act::{self, *};
use raccord_sim::act::Fate::*;
use raccord_sim::laws::play;
use raccord_sim::story::story;

fn holds(acts: &[Act]) {
    let sim = play(acts, None);
    assert_eq!(sim.broken, None, "{acts:?}");
}

#[test]
fn the_first_seeds_break_no_law() {
    for seed in 0..60 {
        let sim = play(&story(seed), None);
        assert_eq!(sim.broken, None, "seed {seed}");
    }
}

/// A receiver that takes nothing is told what is new once each, not about its own refusals.
#[test]
fn refusals_come_to_an_end() {
    let mut acts = vec![Add(3), Add(5), Read, Flush];
    acts.extend(std::iter::repeat_n([Answer(0, Data), Flush], 300).flatten());
    holds(&acts);
}

/// Their tasks stand in the calendar still, and no fact of what is left of the log names them.
#[test]
fn what_a_lost_future_made_of_what_is_now_cancelled_stays_with_its_tasks() {
    holds(&[
        Backup,
        Add(165),
        Read,
        Flush,
        Answer(17_794_686_717_466_173_377, Good),
        Answer(13_191_987_998_738_284_120, Good),
        Cancel(4_142_523_052_495_943_346),
        Wait(1),
        SwitchOn(7_852_982_555_459_113_675),
        Answer(3_258_396_594_002_206_287, Good),
        Restore(6_292_196_409_746_301_153),
    ]);
}

#[test]
fn a_tool_that_asked_to_be_left_alone_is_left_alone_after_a_crash() {
    holds(&[
        Add(3),
        Read,
        Flush,
        Answer(0, Quiet),
        Flush,
        Crash(0),
        Flush,
        Wait(60),
        Flush,
    ]);
}

#[test]
fn the_same_seed_runs_the_same() {
    for seed in 0..10 {
        let acts = story(seed);
        assert_eq!(play(&acts, None).trace, play(&acts, None).trace, "{seed}");
    }
}

#[test]
fn a_plan_says_that_children_wait_for_an_announcement_in_its_grace() {
    holds(&[Add(102), Nameless, Wait(20), Mute, Spill, Wait(301)]);
}

#[test]
fn an_older_hold_that_ends_does_not_let_a_newer_held_reading_count() {
    holds(&[
        Add(15),
        Add(214),
        Add(53),
        Add(152),
        Add(75),
        Add(200),
        Add(76),
        Wait(40000),
        Wait(40000),
        Spill,
        Move(11_898_921_199_751_381_151),
        Read,
        Move(12_653_131_786_297_577_238),
        Read,
        Cut(9_381_908_878_050_899_507),
    ]);
}

#[test]
fn a_line_with_another_id_is_another_line_however_alike() {
    holds(&[
        Add(215),
        Add(103),
        Add(40),
        Add(198),
        Add(219),
        Add(239),
        Read,
        Wait(5),
        Spill,
        Add(143),
        Read,
        Decide(4_185_648_657_155_872_699, true),
        Read,
    ]);
}

#[test]
fn what_was_hidden_while_nobody_knew_is_not_made_beside_itself_when_shown_again() {
    holds(&[
        Add(120),
        Add(58),
        Add(52),
        Add(53),
        Add(161),
        Add(202),
        Add(151),
        Add(37),
        Read,
        Wait(1),
        Wait(7200),
        ReadFails,
        Answer(7_401_648_817_752_459_451, AnswerLost),
        Cut(14_966_337_661_748_205_847),
        Answer(3_312_775_225_691_258_171, Good),
        Add(174),
        Read,
        Mute,
        Cut(5_941_894_965_368_537_659),
        Hide(10_067_113_290_836_470_918),
        Wait(1000),
        Add(234),
        Crash(8_088_234_157_461_523_494),
        Read,
        Unmute,
        Wait(20),
        Cut(10_284_326_507_571_005_156),
        Crash(1_073_762_689_435_372_282),
        Add(246),
        Wait(1000),
        Read,
        Cut(14_134_966_108_944_214_298),
        Hide(1_423_136_593_527_744_634),
        Read,
    ]);
}

#[test]
fn a_restored_place_has_not_caught_up_before_an_approved_reading_was_applied() {
    holds(&[
        Add(172),
        Add(242),
        Add(136),
        Add(235),
        Add(244),
        Add(4),
        Add(103),
        Add(195),
        Add(159),
        Add(182),
        Read,
        Backup,
        Cut(1_217_360_686_151_667_725),
        Add(176),
        Answer(2_663_971_449_337_862_736, Good),
        Cut(17_207_974_289_501_222_255),
        Answer(3_133_311_146_247_414_302, Good),
        Add(123),
        Read,
        Wait(301),
        Add(223),
        Crash(11_999_157_454_970_758_497),
        Cut(13_111_939_444_741_547_995),
        Restore(5_453_561_848_797_763_683),
    ]);
}

#[test]
fn what_left_in_the_very_instant_of_the_crash_is_written_over() {
    holds(&[
        Add(174),
        Add(135),
        Add(158),
        Add(153),
        Add(8),
        Add(165),
        Add(241),
        Add(44),
        Read,
        Flush,
        Answer(4_943_980_965_763_718_137, Good),
        Wait(20),
        Read,
        Wait(20),
        Answer(1_208_224_455_824_315_129, Good),
        Answer(9_821_867_935_240_198_726, Good),
        Backup,
        Answer(15_135_774_767_814_792_385, Good),
        Answer(12_116_104_039_992_683_408, OldListing),
        Spill,
        Answer(684_492_440_194_380_415, Good),
        Answer(4_980_177_826_052_365_129, Busy),
        Answer(3_631_168_454_438_120_377, Good),
        SwitchOn(14_640_353_078_367_224_035),
        Answer(15_532_402_568_975_145_811, Lost),
        Cut(10_419_222_684_029_887_237),
        Read,
        Decide(11_627_304_965_573_566_205, true),
        Read,
        Answer(8_099_348_204_548_088_384, Good),
        Answer(11_092_888_206_900_532_651, Good),
        Credit(235),
        Answer(4_816_117_157_650_553_712, Good),
        Crash(11_579_542_749_934_664_948),
        Unspill,
        Read,
    ]);
}

#[test]
fn an_attempt_of_a_lost_future_is_waited_for_after_a_restore() {
    holds(&[
        Add(244),
        Add(85),
        Add(85),
        Add(57),
        Add(76),
        Nameless,
        Read,
        Add(46),
        Wait(20),
        Wait(61),
        Read,
        Add(223),
        Answer(10_374_843_590_042_682_726, Good),
        Answer(6_068_282_507_539_910_627, Good),
        Answer(12_780_487_484_266_870_529, Good),
        Wait(61),
        Crash(2_328_779_468_859_130_528),
        Configure(7),
        Wait(1),
        Credit(234),
        Wait(1000),
        Crash(4_198_713_373_873_804_751),
        Wait(1000),
        Read,
        Credit(40),
        Crash(9_555_862_713_753_153_078),
        Flush,
        Answer(5_383_223_326_913_938_108, Good),
        SignUp(221),
        Answer(662_193_828_431_672_381, Good),
        Wait(1),
        Answer(4_820_028_659_785_603_336, Good),
        Answer(16_216_235_648_956_077_059, CannotTell),
        Backup,
        Crash(14_050_741_647_677_281_850),
        Read,
        Wait(130),
        Credit(64),
        Answer(6_134_361_340_154_905_452, Good),
        Flush,
        Answer(12_350_887_953_451_645_668, Good),
        Flush,
        Crash(669_711_423_467_966_785),
        Edit(9_318_341_036_790_111_847),
        Crash(7_019_978_163_320_479_451),
        Restore(7_386_689_286_661_345_445),
    ]);
}

#[test]
fn what_was_over_when_its_line_was_written_anew_stays_as_it_was() {
    holds(&[
        Add(167),
        Add(116),
        Nameless,
        Wait(1000),
        Add(126),
        Add(255),
        Wait(61),
        Wait(1000),
        Wait(301),
        Add(40),
        Read,
        Add(170),
        Wait(1000),
        Wait(1000),
        Add(178),
        Wait(301),
        Wait(301),
        Wait(40000),
        Configure(7),
        Rework(11_377_227_843_812_768_676),
        Wait(61),
    ]);
}

#[test]
fn a_person_is_asked_whether_what_should_go_is_gone() {
    holds(&[
        Add(45),
        Add(42),
        Add(96),
        Add(230),
        Add(80),
        Add(143),
        Nameless,
        Read,
        Wait(301),
        Move(13_565_925_714_049_935_969),
        Configure(0),
        Hide(6_163_295_931_449_969_809),
        Read,
        Crash(3_449_801_267_850_189_649),
        Add(162),
        Credit(233),
        Credit(222),
        Wait(3600),
        Add(222),
        Credit(55),
        Wait(1000),
        Move(9_575_587_019_769_529_046),
        Answer(13_387_610_017_219_065_317, Good),
        Wait(1),
        Crash(6_325_140_138_645_715_374),
        Mute,
        Mute,
        SignUp(221),
        Answer(15_528_199_109_677_126_324, Data),
        Read,
        Wait(130),
        Flush,
        Decide(16_177_765_542_768_325_903, true),
        Unmute,
        Wait(61),
        Add(130),
        Wait(130),
        Add(58),
        Crash(6_040_332_939_975_183_154),
        Add(164),
        Wait(130),
        Read,
        Cut(2_682_804_563_855_342_345),
        Credit(143),
        Answer(12_995_087_178_929_303_276, Good),
        Answer(3_858_980_717_307_564_832, Good),
        Answer(3_728_441_766_986_400_233, CannotTell),
    ]);
}

#[test]
fn what_was_tried_late_and_then_refused_is_written_over() {
    holds(&[
        Add(4),
        Add(64),
        Add(185),
        Read,
        Flush,
        Add(27),
        Read,
        Answer(8_639_610_712_122_522_083, Good),
        Answer(10_730_713_221_259_789_572, Busy),
        Read,
        Answer(18_062_198_144_120_774_465, Good),
        Answer(9_130_101_937_175_223_349, Twice),
        Answer(4_390_985_934_065_912_495, Good),
        Cut(11_105_787_612_967_811_291),
        Read,
        Wait(40000),
        Answer(5_522_377_131_892_799_954, Good),
        SignUp(121),
        Flush,
        SignUp(210),
        Answer(5_498_959_272_124_746_270, Good),
        Credit(107),
        Flush,
        Read,
        SwitchOn(4_136_224_380_622_118_228),
        Credit(60),
        Wait(20),
        Answer(7_595_512_530_702_426_988, Busy),
        Wait(5),
        Wait(20),
        Answer(17_931_249_714_169_964_174, Good),
        Answer(1_225_591_842_858_406_624, Good),
        Wait(1000),
        SignUp(163),
        Wait(40000),
        Add(88),
        Crash(10_773_052_211_045_500_732),
        Flush,
        Read,
        SignUp(55),
        Credit(247),
        Answer(4_120_534_924_776_155_657, Good),
        Answer(8_099_830_670_589_625_940, Late),
        Wait(130),
        Read,
        Read,
        Answer(16_611_655_878_191_438_045, Good),
        Answer(12_400_365_692_037_975_257, Good),
        Answer(8_455_948_582_707_105_319, Quiet),
        Flush,
        Read,
        Answer(5_671_333_997_916_422_642, CannotTell),
        Answer(6_056_554_252_763_277_596, Good),
        Answer(5_511_621_786_801_727_611, Late),
        Answer(14_297_708_373_322_817_220, OldListing),
        Answer(4_151_168_852_460_565_629, OldListing),
        Answer(8_695_113_647_392_811_053, Access),
        Read,
        Crash(15_857_341_718_484_508_978),
        Flush,
        SwitchOn(13_248_408_322_791_981_390),
        Answer(5_303_943_194_018_686_369, Busy),
        Wait(130),
        Read,
        Answer(6_299_909_087_514_521_225, Good),
        Flush,
        Answer(8_806_804_353_693_420_095, Data),
        Paste,
        Read,
    ]);
}

#[test]
fn what_a_look_finds_after_a_restore_may_be_of_the_lost_future() {
    holds(&[
        Add(122),
        Add(229),
        Add(226),
        Read,
        Hide(16_729_995_886_913_733_728),
        SignUp(234),
        Add(196),
        Read,
        Wait(130),
        Cut(16_905_833_831_840_377_057),
        Crash(12_787_634_376_201_871_247),
        Backup,
        Hide(2_164_048_392_873_562_841),
        Cut(2_047_448_474_463_837_979),
        Add(55),
        Read,
        Wait(1000),
        Flush,
        Crash(15_492_408_741_078_597_567),
        Flush,
        Answer(13_101_398_324_141_785_244, NotStarted),
        Spill,
        Answer(13_097_445_716_245_809_006, Lost),
        Wait(1000),
        Answer(4_177_657_316_510_944_013, Good),
        Answer(15_237_716_589_224_766_010, Good),
        Answer(14_567_811_931_727_580_214, Busy),
        Read,
        SignUp(4),
        Answer(14_189_549_076_464_139_423, Good),
        Restore(11_469_799_193_161_948_794),
        Paste,
    ]);
}

#[test]
fn a_state_with_failures_survives_its_snapshot() {
    holds(&[ReadFails, Flush, Crash(5_702_892_336_441_862_973)]);
}

#[test]
fn what_only_a_lost_future_made_by_a_recipe_of_then_is_nobodys() {
    holds(&[
        Add(12),
        Add(236),
        Add(110),
        Add(239),
        Backup,
        Read,
        Flush,
        Read,
        Answer(8_912_712_839_018_510_951, CannotTell),
        Wait(1),
        Wait(20),
        Answer(5_068_286_948_983_326_497, Good),
        Answer(8_974_824_170_408_237_472, Good),
        Answer(17_462_598_688_464_935_444, Good),
        Read,
        Crash(6_483_522_395_743_833_301),
        Configure(7),
        Restore(7_623_595_259_508_748_433),
    ]);
}

#[test]
fn what_a_lost_future_announced_is_looked_for_before_it_is_let_go() {
    holds(&[
        Add(142),
        Add(246),
        Add(172),
        Add(119),
        Add(251),
        Retitle(1_103_886_325_301_849_335),
        Cancel(12_019_596_576_098_869_562),
        Read,
        Cancel(17_532_392_997_668_940_026),
        Add(21),
        SwitchOn(3_470_492_907_735_336_566),
        SignUp(190),
        Read,
        Wait(90000),
        Hide(11_680_006_988_503_889_151),
        Crash(7_804_618_285_972_907_992),
        Flush,
        Answer(6_679_725_200_293_625_437, Good),
        Answer(15_214_620_077_161_080_463, Data),
        Retry(15_056_830_050_115_053_587),
        Read,
        Answer(8_454_900_563_825_887_396, Good),
        Wait(7200),
        Answer(10_450_992_469_612_218_457, CannotTell),
        Flush,
        Answer(4_298_687_129_711_544_425, Good),
        Answer(5_798_247_540_494_486_534, Good),
        Answer(6_580_715_459_347_170_005, Good),
        Add(52),
        Wait(20),
        Answer(9_975_171_056_805_154_924, NotStarted),
        Answer(9_115_066_531_686_632_524, Good),
        Add(187),
        SignUp(56),
        Answer(12_164_756_565_318_368_567, Busy),
        Add(204),
        Answer(1_251_447_607_814_586_582, Good),
        ReadFails,
        Read,
        Add(124),
        Credit(46),
        Answer(15_162_577_772_244_317_926, Good),
        Answer(12_516_362_902_302_898_722, Good),
        Backup,
        Answer(10_444_078_430_324_824_572, Busy),
        Wait(301),
        Answer(11_553_834_418_819_609_603, OldListing),
        Answer(6_472_176_492_399_034_473, Good),
        Answer(5_169_466_367_721_489_149, Busy),
        Cut(1_239_847_138_895_450_949),
        SignUp(233),
        ReadFails,
        Wait(5),
        Cut(12_370_360_834_449_295_678),
        Answer(9_374_071_474_095_566_476, Lost),
        Answer(10_447_728_606_162_624_735, Lost),
        Answer(15_386_811_036_827_374_108, Good),
        Restore(14_588_911_307_010_488_963),
        Add(243),
        Add(62),
        Add(34),
        Hide(17_325_034_861_807_648_521),
        Read,
        Add(83),
        Unmute,
        Flush,
        Wait(5),
        Paste,
        Read,
        Hide(6_077_784_105_938_487_272),
    ]);
}

/// A person tried again what had been refused, and a backup from before came back: nobody knows
/// whether it arrived.
#[test]
fn what_a_lost_log_may_have_tried_again_is_asked_about() {
    holds(&[
        Add(134),
        Add(199),
        SignUp(37),
        Configure(4),
        Wait(61),
        Add(4),
        Read,
        Answer(8_747_848_112_825_258_688, Good),
        SignUp(43),
        Answer(2_667_375_641_569_897_593, Good),
        Credit(242),
        Crash(16_508_827_725_841_262_210),
        Credit(151),
        Wait(7200),
        SignUp(124),
        Answer(15_493_739_697_124_774_459, Good),
        Crash(15_460_955_211_051_722_071),
        Flush,
        Answer(17_893_846_337_411_132_381, Good),
        Answer(5_446_807_739_104_718_515, Data),
        Backup,
        Answer(17_966_383_785_616_999_983, Busy),
        SignUp(221),
        ReadFails,
        Answer(4_699_432_676_641_668_968, Good),
        Retry(10_262_733_001_884_779_783),
        Read,
        Answer(4_596_792_683_434_385_945, Busy),
        Wait(1),
        Answer(2_251_157_090_379_195_766, Good),
        Restore(15_011_427_268_981_849_742),
    ]);
}

/// A line was cut before the backup came back, and pasted after every source had been read again.
#[test]
fn what_a_lost_log_made_of_a_line_that_was_away_is_looked_for() {
    holds(&[
        Add(67),
        Add(113),
        Add(22),
        Add(27),
        Add(115),
        Add(229),
        Add(83),
        Add(150),
        Add(214),
        Add(30),
        Backup,
        Add(88),
        Add(68),
        Wait(5),
        Read,
        Wait(1000),
        Add(254),
        Wait(61),
        Add(234),
        Answer(3_995_764_373_855_410_387, NotStarted),
        Add(74),
        Add(142),
        Cut(2_294_003_185_789_449_378),
        Answer(4_670_262_295_509_873_919, AnswerLost),
        Add(57),
        Answer(18_009_495_332_703_107_706, Good),
        Cut(2_509_792_715_531_285_450),
        Answer(7_729_582_904_454_791_837, Quiet),
        Restore(82_177_514_013_627_139),
        Unmute,
        Wait(130),
        Spill,
        Paste,
    ]);
}
