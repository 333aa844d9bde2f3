using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

public class CaptionsTests
{
    internal static ClipDescription RedFish { get; } = new()
    {
        Subject = SubjectCatalogue.Get("fish"),
        Scene = SceneCatalogue.Get("deep sea"),
        Motion = Motion.Left,
        Colour = SubjectColour.Red,
        Start = (0.7f, 0.5f),
        Extent = 0.45f,
        Speed = 0.22f,
    };

    [Theory]
    [InlineData("red fish swims")]
    [InlineData("a red fish swims left")]
    [InlineData("a red fish swims left in the deep sea")]
    [InlineData("A red fish swims to the left under water in the deep sea.")]
    [InlineData("A red fish is swimming left in the deep sea.")]
    [InlineData("In the deep sea, a red fish moves left.")]
    [InlineData("There is a red fish in the deep sea. It swims left.")]
    [InlineData("A red fish swims to the left in the deep sea. It moves slowly.")]
    public void Says_it_in_many_ways(string caption) => Assert.Contains(caption, Captions.All(RedFish));

    [Fact]
    public void The_full_sentence_is_the_plain_one() =>
        Assert.Equal("a red fish swims left in the deep sea", Captions.FullSentence(RedFish));

    [Fact]
    public void Every_caption_reads_back()
    {
        World world = SyntheticAtlas.World(SpriteWorldConfig.Everything);
        for (ulong seed = 0; seed < 400; seed++)
        {
            ClipDescription clip = world.Sample(seed);
            var meaning = CaptionMeaning.Of(clip);
            foreach (string caption in Captions.All(clip).Append(Captions.One(clip, seed)))
            {
                CaptionMeaning read = CaptionParser.Parse(caption);
                Assert.Equal(
                    (meaning.Subject, meaning.Colour, meaning.Size, meaning.Motion, meaning.Scene),
                    (read.Subject, read.Colour, read.Size, read.Motion ?? meaning.Motion, read.Scene ?? meaning.Scene));
                if (read.Scene is not null)
                    Assert.Equal(meaning, read);
            }
        }
    }

    [Fact]
    public void Four_of_five_captions_say_everything()
    {
        int full = 0;
        for (ulong seed = 0; seed < 1000; seed++)
            full += CaptionParser.Parse(Captions.One(RedFish, seed)) == CaptionMeaning.Of(RedFish) ? 1 : 0;
        Assert.InRange(full, 750, 850);
    }

    [Fact]
    public void Articles_fit_their_nouns()
    {
        World world = SyntheticAtlas.World(SpriteWorldConfig.Everything);
        for (ulong seed = 0; seed < 500; seed++)
        {
            Assert.All(Captions.All(world.Sample(seed)), caption =>
            {
                Assert.DoesNotMatch("(?i)\\ba [aeiou]", caption);
                Assert.DoesNotMatch("(?i)\\ban [^aeiou]", caption);
            });
        }
    }

    public static TheoryData<SpriteWorldConfig, int> Worlds => new()
    {
        { SpriteWorldConfig.FirstEdition, 60 }, { SpriteWorldConfig.ByDay, 100 }, { SpriteWorldConfig.Everything, 100 },
    };

    [Theory]
    [MemberData(nameof(Worlds))]
    public void The_vocabulary_holds_every_word(SpriteWorldConfig config, int least)
    {
        IReadOnlyDictionary<string, int> words = Captions.Vocabulary(config);
        Assert.InRange(words.Count, least, 400);
        World world = SyntheticAtlas.World(config);
        for (ulong seed = 0; seed < 1000; seed++)
        {
            string caption = Captions.One(world.Sample(seed), seed);
            Assert.All(CaptionParser.Words(caption), word => Assert.True(words.ContainsKey(word), word));
        }
    }

    [Fact]
    public void What_a_caption_leaves_out_is_null()
    {
        CaptionMeaning meaning = CaptionParser.Parse("green cars");
        Assert.Null(meaning.Subject);
        Assert.Null(meaning.Scene);
        Assert.Null(meaning.Motion);
        Assert.Equal(SubjectColour.Own, CaptionParser.Parse("a dog runs left in the blue sky").Colour);
    }

    [Fact]
    public void Unknown_names_list_the_known_ones()
    {
        var subject = Assert.Throws<SoraException>(() => SubjectCatalogue.Get("unicorn"));
        Assert.Contains("dog, cat", subject.Message, StringComparison.Ordinal);
        var scene = Assert.Throws<SoraException>(() => SceneCatalogue.Get("moon"));
        Assert.Contains("deep sea", scene.Message, StringComparison.Ordinal);
    }
}
