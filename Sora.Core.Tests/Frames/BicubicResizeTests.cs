using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

public class BicubicResizeTests
{
    // Made with exact fractions from Keys' kernel: every source pixel whose centre the stretched kernel covers, weights that
    // add up to one, columns then rows, both rounded to the nearest whole number and cut at 0 and 255.
    [Theory]
    [InlineData(13, 9, 5, 4, "5F7A9E7095AD7A7280535D807A8F7C6C86A155767D9F71498B6B5F9367939181748C7E70948D5B7F7361847293767D7E9E8266758E5A816D748F596C")]
    [InlineData(5, 4, 7, 6, "002D620B3F742861964086BB629CD186BAEF9BD0FF23579C4381BD7686B99A477C6C7CBD65A3E178ADE16CA1B275BAE1A498D0E4295E847891488DAD3E72A9BF"
        + "F42C508753224E9B91A4D9B3DF4C649B3A063578669B414478724780C286CAFF68A165366A4A15478400347B457AB68CC1F593C8FD184D9004397933699D")]
    [InlineData(29, 3, 4, 4, "62809774846F768771828A6C757CAD5C6D8E697E7E597A78718196705F7F706482536D84578C5FA4624B864979746A87")]
    [InlineData(17, 11, 6, 4, "6280A0688FA176687163678392746B4A608D797F926C7771A97C41886A76986D7B769580857F789886667A84647E677F7E64797D9970637F8C8E7C82907D708E7B7B62769B7B9960")]
    public void PixelsAreThoseOfTheFormula(int width, int height, int newWidth, int newHeight, string expected) =>
        Assert.Equal(expected, Convert.ToHexString(BicubicResize.Apply(Picture(width, height), newHeight, newWidth, 0, 0, new(newHeight, newWidth))));

    [Fact]
    public void TheSameSizeIsTheSamePicture()
    {
        VideoFrame frame = Picture(13, 9);
        Assert.Equal(frame.Rgb.ToArray(), BicubicResize.Apply(frame, 9, 13, 0, 0, new(9, 13)));
    }

    [Fact]
    public void APartIsThatPartOfTheWhole()
    {
        VideoFrame frame = Picture(23, 31);
        byte[] whole = BicubicResize.Apply(frame, 17, 11, 0, 0, new(17, 11));
        byte[] part = BicubicResize.Apply(frame, 17, 11, 4, 3, new(9, 5));
        byte[] expected = [.. Enumerable.Range(4, 9).SelectMany(row => whole.AsSpan((row * 33) + 9, 15).ToArray())];
        Assert.Equal(expected, part);
    }

    // A strip that is resized to millions of rows, of which a few are wanted.
    [Fact]
    public void APartOfAnEnormousPictureIsMadeAlone()
    {
        var strip = new VideoFrame(0, 1, 16384, new byte[3 * 16384], TimeSpan.Zero);
        long before = GC.GetAllocatedBytesForCurrentThread();
        byte[] part = BicubicResize.Apply(strip, 16384 * 224, 224, (16384 * 224 - 224) / 2, 0, new(224, 224));
        Assert.Equal(3 * 224 * 224, part.Length);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 << 20);
    }

    internal static VideoFrame Picture(int width, int height)
    {
        byte[] rgb =
        [
            .. from y in Enumerable.Range(0, height)
               from x in Enumerable.Range(0, width)
               from c in Enumerable.Range(0, 3)
               select (byte)((x * 37) + (y * 91) + (c * 53) + (x * y * 7) + (x * x * y % 11 * 13)),
        ];
        return new(0, width, height, rgb, TimeSpan.Zero);
    }
}
