using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

/// <summary>Clips of two subjects: where they are, what is said of them, and what their pixels tell.</summary>
public class CompanionTests
{
    private static readonly World s_pairs = SyntheticAtlas.World(SpriteWorldConfig.Everything with { CompanionShare = 1, CameraMoves = [CameraMove.Still] });

    [Fact]
    public void A_share_of_the_clips_has_two_different_subjects_of_one_scene()
    {
        World world = SyntheticAtlas.World(SpriteWorldConfig.Everything);
        ClipDescription[] clips = [.. Enumerable.Range(0, 2000).Select(i => world.Sample((ulong)i))];
        Assert.InRange(clips.Count(clip => clip.Companion is not null), 400, 600);
        Assert.All(clips, clip =>
        {
            if (clip.Companion is not { } other)
                return;
            Assert.NotEqual(clip.Subject, other.Subject);
            Assert.Equal((clip.Scene, clip.TimeOfDay, clip.Camera, clip.SceneSeed), (other.Scene, other.TimeOfDay, other.Camera, other.SceneSeed));
        });
        Assert.All(Enum.GetValues<Motion>(), motion => Assert.Contains(clips, clip => clip.Companion?.Motion == motion));
        Assert.All(Enumerable.Range(0, 300), i => Assert.Null(SyntheticAtlas.World(SpriteWorldConfig.ByDay).Sample((ulong)i).Companion));
    }

    [Fact]
    public void Neither_covers_the_other_or_leaves_the_frame()
    {
        for (ulong seed = 0; seed < 300; seed++)
        {
            ClipDescription clip = s_pairs.Sample(seed);
            for (int frame = 0; frame <= 16; frame++)
            {
                MotionPath one = MotionPath.At(clip, frame / 8f), other = MotionPath.At(clip.Companion!, frame / 8f);
                float apart = Math.Max(Math.Abs(one.X - other.X), Math.Abs(one.Y - other.Y));
                // Sprites do not fill their squares; a tenth of the shorter may reach over.
                Assert.True(apart > ((one.Extent + other.Extent) / 2) - (0.2f * Math.Min(one.Extent, other.Extent)), $"seed {seed}, frame {frame}: {clip}");
                Assert.All([one, other], at => Assert.True(at.X is > 0.02f and < 0.98f && at.Y is > 0.02f and < 0.98f, $"seed {seed}, frame {frame}: {at} of {clip}"));
            }
        }
    }

    [Theory]
    [InlineData("a red fish swims left and a green ball rests in the deep sea")]
    [InlineData("A red fish glides to the left, a green ball stays still.")]
    [InlineData("In the deep sea, a red fish moves left and a green ball lies still.")]
    [InlineData("A video of a red fish swimming left and a green ball resting under water in the deep sea.")]
    public void Says_it_in_many_ways(string caption)
    {
        ClipDescription ball = CaptionsTests.RedFish with { Subject = SubjectCatalogue.Get("ball"), Motion = Motion.Rests, Colour = SubjectColour.Green };
        ClipDescription clip = CaptionsTests.RedFish with { Companion = ball };
        Assert.Contains(caption, Captions.All(clip));
        CaptionMeaning read = CaptionParser.Parse(caption), meaning = CaptionMeaning.Of(clip);
        Assert.Equal(meaning with { Scene = read.Scene }, read);
        Assert.Equal(("ball", Motion.Rests, SubjectColour.Green), (read.Companion!.Subject!.Name, read.Companion.Motion!.Value, read.Companion.Colour));
        Assert.Equal("a red fish swims left and a green ball rests in the deep sea", Captions.FullSentence(clip));
    }

    [Fact]
    public void One_verb_can_be_of_both()
    {
        CaptionMeaning read = CaptionParser.Parse("a small dog and a blue cat run left on the beach");
        Assert.Equal((Motion.Left, SubjectSize.Small, SubjectColour.Own), (read.Motion!.Value, read.Size, read.Colour));
        Assert.Equal((Motion.Left, SubjectSize.Usual, SubjectColour.Blue), (read.Companion!.Motion!.Value, read.Companion.Size, read.Companion.Colour));
        // The same one again is no second.
        Assert.Null(CaptionParser.Parse("There is a dog on the beach. The dog runs left.").Companion);
    }

    [Fact]
    public void The_detailed_caption_places_each()
    {
        ClipDescription ball = CaptionsTests.RedFish with { Subject = SubjectCatalogue.Get("ball"), Motion = Motion.Rests, Colour = SubjectColour.Own, Start = (0.2f, 0.8f), Extent = 0.3f };
        string caption = DetailedCaption.Of(CaptionsTests.RedFish with { Companion = ball });
        Assert.StartsWith("A red fish swims left and a ball rests in the deep sea. The fish begins on the right-hand side, at half height.", caption, StringComparison.Ordinal);
        Assert.Contains("The ball begins on the left-hand side, low in the picture. The length of the ball is a third of the picture's shorter side.", caption, StringComparison.Ordinal);
        Assert.Equal(CaptionMeaning.Of(CaptionsTests.RedFish with { Companion = ball }), CaptionParser.Parse(caption));
    }

    [Fact]
    public void The_marked_patches_are_of_both()
    {
        ClipDescription clip = s_pairs.Sample(3);
        float[] both = Marks(clip), one = Marks(clip with { Companion = null }), other = Marks(clip.Companion!);
        Assert.All(both.Select((mark, i) => (mark, i)), patch => Assert.Equal(Math.Max(one[patch.i], other[patch.i]), patch.mark));
        Assert.True(both.Sum() > one.Sum() && both.Sum() > other.Sum());

        static float[] Marks(ClipDescription clip)
        {
            var marks = new float[5 * 8 * 8];
            SubjectTokens.Mark(clip, new(64, 64, 17), 8, new(5, 8, 8), 4, 1, marks);
            return marks;
        }
    }

    [Fact]
    public void A_held_out_companion_holds_the_clip_out()
    {
        ClipDescription clip = CaptionsTests.RedFish with { Scene = SceneCatalogue.Get("meadow") };
        ClipDescription dog = clip with { Subject = SubjectCatalogue.Get("dog") };
        Assert.False(HeldOutPairs.Contains(clip));
        Assert.False(HeldOutPairs.Contains(clip with { Companion = dog }));
        Assert.True(HeldOutPairs.Contains(clip with { Companion = dog with { Motion = Motion.Right } }));
    }

    [Fact]
    public void The_analysis_finds_both()
    {
        SpriteWorldConfig config = SpriteWorldConfig.FirstEdition with { CompanionShare = 1 };
        var world = new World(config, SpriteAtlas.Load(SpriteAtlas.DefaultFolder, config.Subjects));
        var analysis = new WorldAnalysis(world);
        const int count = 24;
        ClipDescription[] clips = [.. Enumerable.Range(0, count).Select(i => world.Sample((ulong)i + 500))];
        ClipAnalysis[] seen = [.. clips.Select(clip => analysis.Analyse(Draw(clip), 64, 64, subjects: 2))];
        ClipScore[] scores = [.. clips.Zip(seen, (clip, shown) => WorldAnalysis.Score(shown, CaptionMeaning.Of(clip)))];
        Assert.InRange(scores.Count(score => score.Subject), 0.9 * count, count);
        Assert.InRange(scores.Count(score => score.Scene), 0.9 * count, count);
        Assert.InRange(scores.Count(score => score.Motion), 0.8 * count, count);
        // Another clip's caption has neither, and one subject alone is not two.
        Assert.InRange(Enumerable.Range(0, count).Count(i => WorldAnalysis.Score(seen[i], CaptionMeaning.Of(clips[(i + 1) % count])).Subject), 0, 0.15 * count);
        Assert.InRange(clips.Count(clip => analysis.Score(Draw(clip with { Companion = null }), 64, 64, CaptionMeaning.Of(clip)).Subject), 0, 0.15 * count);

        byte[] Draw(ClipDescription clip)
        {
            var rgb = new byte[17 * 64 * 64 * 3];
            world.Render(clip, 64, 64, 17, 8, rgb);
            return rgb;
        }
    }

    [Fact]
    public void An_analysis_of_one_finds_no_companion()
    {
        var grey = new byte[3 * 64 * 64 * 3];
        Array.Fill(grey, (byte)128);
        World world = SyntheticAtlas.FirstEdition;
        var analysis = new WorldAnalysis(world);
        Assert.Null(analysis.Analyse(grey, 64, 64).Companion);
        Assert.Null(analysis.Analyse(grey, 64, 64, subjects: 2).Companion!.Subject);
        Assert.Throws<ArgumentOutOfRangeException>(() => analysis.Analyse(grey, 64, 64, subjects: 3));
        Assert.False(WorldAnalysis.Score(analysis.Analyse(grey, 64, 64), CaptionParser.Parse("a dog rests and a cat rests")).Subject);
    }
}
