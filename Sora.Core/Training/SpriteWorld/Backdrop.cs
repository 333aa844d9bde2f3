using System.Numerics;

namespace Sora.Training.SpriteWorld;

/// <summary>The scene of a clip as the camera sees it over time.</summary>
internal sealed class Backdrop
{
    private const float PanSpeed = 0.12f; // frame heights a second
    private const int Finer = 3;          // half pixels: a zoomed scene is painted 1.5 times as large, so that it stays sharp
    private readonly ClipDescription _clip;
    private readonly int _width;
    private readonly int _height;
    private readonly int _wide;
    private readonly int _high;
    private Vector3[] _scene;

    /// <summary>Paints the scene.</summary>
    /// <param name="clip">The clip.</param>
    /// <param name="width">The frame's width in pixels.</param>
    /// <param name="height">The frame's height in pixels.</param>
    public Backdrop(ClipDescription clip, int width, int height)
    {
        (_clip, _width, _height) = (clip, width, height);
        (_wide, _high) = IsViewed ? (width * Finer / 2, height * Finer / 2) : (width, height);
        _scene = Paint(0);
    }

    private bool IsViewed => _clip.Camera is CameraMove.ZoomIn or CameraMove.ZoomOut or CameraMove.Shake;

    /// <summary>Draws it as it is at a time, [height · width].</summary>
    public void Draw(float seconds, Span<Vector3> frame)
    {
        if (IsViewed)
        {
            View(CameraView.At(_clip.Camera, seconds), frame);
            return;
        }
        if (_clip.Camera != CameraMove.Still && seconds > 0)
            _scene = Paint(seconds);
        _scene.CopyTo(frame);
    }

    private Vector3[] Paint(float seconds) => ClipRenderer.PaintScene(_clip.Scene, _clip.SceneSeed, _clip.TimeOfDay, _wide, _high, _clip.Camera switch
    {
        CameraMove.PanLeft => -PanSpeed * seconds,
        CameraMove.PanRight => PanSpeed * seconds,
        _ => 0f,
    });

    // The mean of four places in each pixel: the painted scene is up to 1.5 times as fine as the frame.
    private void View(CameraView view, Span<Vector3> frame)
    {
        for (int row = 0; row < _height; row++)
        {
            for (int column = 0; column < _width; column++)
            {
                var sum = Vector3.Zero;
                for (int part = 0; part < 4; part++)
                {
                    float x = (column + 0.25f + (0.5f * (part & 1))) / _width, y = (row + 0.25f + (0.5f * (part >> 1))) / _height;
                    sum += At(((x - 0.5f) / view.Zoom) + 0.5f + view.X, ((y - 0.5f) / view.Zoom) + 0.5f + view.Y);
                }
                frame[(row * _width) + column] = sum / 4;
            }
        }
    }

    // Bilinear, at fractions of the scene.
    private Vector3 At(float x, float y)
    {
        float column = Math.Clamp((x * _wide) - 0.5f, 0, _wide - 1), row = Math.Clamp((y * _high) - 0.5f, 0, _high - 1);
        int left = (int)column, top = (int)row, right = Math.Min(left + 1, _wide - 1), bottom = Math.Min(top + 1, _high - 1);
        return Vector3.Lerp(
            Vector3.Lerp(_scene[(top * _wide) + left], _scene[(top * _wide) + right], column - left),
            Vector3.Lerp(_scene[(bottom * _wide) + left], _scene[(bottom * _wide) + right], column - left),
            row - top);
    }
}
