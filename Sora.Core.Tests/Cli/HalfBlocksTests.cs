using Sora.Cli;
using Sora.Frames;
using Spectre.Console;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary>Previews as text, and above the bars of a terminal.</summary>
public class HalfBlocksTests
{
    private static readonly VideoFrame Picture = new(0, 2, 3, (byte[])[255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7, 1, 2, 3, 4, 5, 6], TimeSpan.Zero);

    [Fact]
    public void TwoRowsOfPixelsAreOneOfText()
    {
        string[] rows = [.. HalfBlocks.Rows([Picture], 80).Select(HalfBlocks.Text)];
        Assert.Equal(
            ["\e[38;2;255;0;0;48;2;0;0;255m▀\e[38;2;0;255;0;48;2;9;8;7m▀\e[0m", "\e[38;2;1;2;3;49m▀\e[38;2;4;5;6;49m▀\e[0m"],
            rows);
    }

    [Fact]
    public void PicturesStandSideBySideAndKeepTheirShapesWhereTheyMustShrink()
    {
        VideoFrame[] wide = [.. Enumerable.Range(0, 3).Select(i => Filled(120, 60, (byte)(50 * i)))];
        IReadOnlyList<IReadOnlyList<HalfBlocks.Cell>> rows = HalfBlocks.Rows(wide, 62);
        // (62 + 1) / 3 − 1 = 20 columns each, so 10 pixels high, in 5 rows.
        Assert.Equal(5, rows.Count);
        Assert.All(rows, row => Assert.Equal((3 * 20) + 2, row.Count));
        (byte, byte, byte)?[] around = [rows[4][19].Lower, rows[4][20].Lower, rows[4][21].Upper, rows[4][40].Lower];
        Assert.Equal([(0, 0, 0), null, (50, 50, 50), (50, 50, 50)], around);
        // As many as there is room for, and one at most 80 wide.
        Assert.Equal(4 + 1 + 4, HalfBlocks.Rows(wide, 9)[0].Count);
        Assert.Equal(80, HalfBlocks.Rows([wide[0]], 300)[0].Count);
    }

    [Fact]
    public void AShrunkPixelIsTheMeanOfThoseThatItStandsFor()
    {
        var rgb = new byte[8 * 8 * 3];
        for (int i = 0; i < rgb.Length; i++)
            rgb[i] = (byte)(i / 3 % 8 < 4 ? i / 3 % 2 * 100 : 200);
        IReadOnlyList<HalfBlocks.Cell> row = HalfBlocks.Rows([new VideoFrame(0, 8, 8, rgb, TimeSpan.Zero)], 4)[0];
        Assert.Equal([(50, 50, 50), (50, 50, 50), (200, 200, 200), (200, 200, 200)], row.Select(cell => ((int)cell.Upper!.Value.R, (int)cell.Upper!.Value.G, (int)cell.Upper!.Value.B)));
    }

    [Fact]
    public void ATerminalGetsThePictureInItsOwnColours()
    {
        var output = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, ColorSystem = ColorSystemSupport.TrueColor, Out = new AnsiConsoleOutput(output) });
        var preview = new PreviewPicture();
        console.Write(preview);
        Assert.Equal("", output.ToString());
        preview.Previews = [Picture];
        console.Write(preview);
        Assert.Equal("\e[38;2;255;0;0;48;2;0;0;255m▀\e[0m\e[38;2;0;255;0;48;2;9;8;7m▀\e[0m\n\e[38;2;1;2;3m▀\e[0m\e[38;2;4;5;6m▀\e[0m\n", output.ToString().ReplaceLineEndings("\n"));
    }

    [Theory]
    [InlineData("truecolor", true)]
    [InlineData("24bit", true)]
    [InlineData("", false)]
    [InlineData("yes", false)]
    [InlineData(null, false)]
    public void TheTerminalSaysWhetherItShowsColours(string? colourTerminal, bool shows) => Assert.Equal(shows, TerminalColours.Are24Bit(colourTerminal));

    private static VideoFrame Filled(int width, int height, byte grey) => new(0, width, height, Enumerable.Repeat(grey, width * height * 3).ToArray(), TimeSpan.Zero);
}
