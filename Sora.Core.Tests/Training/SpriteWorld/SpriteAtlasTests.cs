using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

public class SpriteAtlasTests
{
    [Fact]
    public void The_fetched_sprites_cover_the_catalogue()
    {
        Assert.All(SubjectCatalogue.All, subject => Assert.True(
            File.Exists(Path.Combine(SpriteAtlas.DefaultFolder, subject.CodePoint + ".png")),
            $"The sprite of {subject} is missing: run models/sprites.sh."));

        // One of each way of facing.
        Subject[] subjects = [.. new[] { "horse", "bear", "airplane" }.Select(SubjectCatalogue.Get)];
        SpriteAtlas atlas = SpriteAtlas.Load(SpriteAtlas.DefaultFolder, subjects);
        Assert.Equal(subjects, atlas.Subjects);
        var world = new World(SpriteWorldConfig.Everything with { Subjects = subjects }, atlas);
        for (ulong seed = 0; seed < 40; seed++)
        {
            float[] first = SubjectPositions.Changes(world, world.Sample(seed), 64, 64)[0];
            Assert.Contains(first, change => change > 0.05f);
        }
    }

    [Fact]
    public void An_atlas_without_the_subject_says_so()
    {
        SpriteAtlas atlas = SyntheticAtlas.Of([SubjectCatalogue.Get("dog")]);
        var world = new World(SpriteWorldConfig.FirstEdition, atlas);
        ClipDescription cat = world.Sample(0, new ClipFilter { Subject = SubjectCatalogue.Get("cat") });
        var error = Assert.Throws<SoraException>(() => world.Render(cat, 64, 64, 1, 8, new byte[64 * 64 * 3]));
        Assert.Equal("The atlas has no sprite of \"cat\"; it has: dog.", error.Message);
    }
}
