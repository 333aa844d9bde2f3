using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.VideoVae;

public class SpatialTilesTests
{
    private static readonly AutoencoderKLWanConfig Wan = new() { BaseDim = 96 };

    [Fact]
    public void TheReachOfThePublishedAutoencodersIsSixLatents()
    {
        // The decoder's levels behind the first: 6·½ + ¼, 6·¼ + ⅛, 6·⅛, and the last convolution ⅛.
        Assert.Equal(6, SpatialTiles.Reach(Wan));
        Assert.Equal(24, SpatialTiles.LeastSide(Wan));
        Assert.Equal(1, SpatialTiles.Reach(new() { BaseDim = 8, DimMult = [1], TemperalDownsample = [] }));
        // Two blocks of two points and a convolution of one, each half a latent; what smooths a linear code reaches two points further.
        AutoencoderKLWanConfig small = new() { BaseDim = 8, DimMult = [1, 1], TemperalDownsample = [true], NumResBlocks = 1 };
        Assert.Equal((3, 4), (SpatialTiles.Reach(small), SpatialTiles.Reach(small with { LinearCodeChannels = 2, LinearCodeFirst = 1 })));
    }

    [Theory]
    [InlineData(24, 6)]
    [InlineData(25, 6)]
    [InlineData(64, 6)]
    [InlineData(4, 1)]
    public void TheTilesCoverEveryLengthOnceAndReachFarEnough(int side, int reach)
    {
        for (int length = 1; length <= 300; length++)
        {
            IReadOnlyList<TileSpan> spans = SpatialTiles.Cut(length, side, reach);
            Assert.Equal(length <= side, spans.Count == 1);
            long next = 0;
            foreach (TileSpan span in spans)
            {
                Assert.InRange(span.Length, 1, side);
                Assert.Equal(next, span.First);
                Assert.True(span.Count > 0);
                next = span.First + span.Count;
                Assert.Equal(Math.Max(0, span.First - reach), span.Start);
                Assert.Equal(Math.Min(length, next + reach), span.Start + span.Length);
            }
            Assert.Equal(length, next);
        }
    }

    [Fact]
    public void TheSideOfTilesGivesThemAgain()
    {
        for (int h = 1; h < 120; h += 7)
        {
            for (int w = 1; w < 200; w += 11)
            {
                for (int side = SpatialTiles.LeastSide(Wan); side < 130; side += 5)
                {
                    var tiles = SpatialTiles.Of(Wan, h, w, side);
                    var again = SpatialTiles.Of(Wan, h, w, tiles.SideFor(Wan));
                    Assert.Equal(tiles.Rows, again.Rows);
                    Assert.Equal(tiles.Columns, again.Columns);
                }
            }
        }
    }

    [Fact]
    public void ASideThatIsTooSmallIsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SpatialTiles.Of(Wan, 64, 64, 23));
}
